import fc from 'fast-check';

/** Sets `FC_SEED`, unless the caller names one, and prints it, so that every run can be repeated. Called once a run. */
export function chooseSeed(): void {
  process.env['FC_SEED'] ??= String(Math.trunc(Math.random() * 2 ** 31));
  process.stderr.write(`Property tests: FC_SEED=${process.env['FC_SEED']} repeats the cases of this run.\n`);
}

if (process.env['FC_SEED'] !== undefined) fc.configureGlobal({ seed: Number(process.env['FC_SEED']) });

/** fast-check with the seed of this run. Property tests import it from here. */
export { fc };
