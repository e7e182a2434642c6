import { startEventStoreDbDouble } from './eventStoreDbDouble.ts';

// A double in a process of its own, so that a test can stop it by a signal. Prints its port.
const { port } = await startEventStoreDbDouble();
process.stdout.write(`${port}\n`);
