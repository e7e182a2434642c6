// The direction of imports: core ← engine ← features ← app ← cli (ARCHITECTURE.md, Folders). And which folders may name
// which engine's client library.
import boundaries from 'eslint-plugin-boundaries';

const engineFolders =
  '{backup,cache,config,delivery,eventStore,http,jobs,media,objectStore,postgres,projecting,rateLimits,realtime,telemetry}';

/** Client libraries of engines, and the folders that may import them. */
const adapters = [
  { library: 'pg', folders: ['postgres', 'eventStore/postgres', 'delivery/kafka', 'projecting', 'app'] },
  { library: 'pg-boss', folders: ['jobs'] },
  { library: 'ioredis', folders: ['cache', 'rateLimits', 'realtime', 'app'] },
  { library: 'minio', folders: ['objectStore'] },
  { library: 'kafkajs', folders: ['delivery/kafka', 'app'] },
  { library: '@eventstore/db-client', folders: ['eventStore/eventStoreDb'] },
];

const layers = ['core', 'engine', 'projections', 'feature', 'features', 'app', 'cli'];

const element = (...types) => ({ element: { types: { anyOf: types } } });

const foldersWithAdapters = [...new Set(adapters.flatMap(({ folders }) => folders))];

/** Forbids the libraries that a folder may not name. Without a folder, it forbids all of them. */
function restrictedLibraries(folder) {
  const paths = adapters
    .filter(({ folders }) => !folders.includes(folder))
    .map(({ library, folders }) => ({
      name: library,
      message: `Only ${folders.map((each) => `src/${each}`).join(', ')} may name ${library}. A feature takes what it needs from its context.`,
    }));
  return { '@typescript-eslint/no-restricted-imports': ['error', { paths }] };
}

export const boundariesConfig = [
  { files: ['src/**/*.ts', 'projections/**/*.ts'], ignores: ['**/*.test.ts'], rules: restrictedLibraries() },
  ...foldersWithAdapters.map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    ignores: ['**/*.test.ts'],
    rules: restrictedLibraries(folder),
  })),
  {
    files: ['src/**/*.ts', 'projections/**/*.ts', 'migrations/**/*.ts'],
    // Tests may create any part. main.ts is the program, above all layers.
    ignores: ['**/*.test.ts', 'src/main.ts'],
    plugins: { boundaries },
    settings: {
      'import/resolver': { node: { extensions: ['.ts'] } },
      'boundaries/elements': [
        { type: 'core', pattern: 'src/core' },
        { type: 'engine', pattern: `src/${engineFolders}` },
        { type: 'feature', pattern: 'src/features/*', capture: ['feature'] },
        { type: 'features', pattern: 'src/features' },
        { type: 'projections', pattern: 'projections' },
        { type: 'migrations', pattern: 'migrations' },
        { type: 'app', pattern: 'src/app' },
        { type: 'cli', pattern: 'src/cli' },
      ],
      'boundaries/files': [
        { category: 'index', pattern: 'src/features/*/index.ts' },
        { category: 'events', pattern: 'src/features/*/events.ts' },
        { category: 'definition', pattern: 'src/features/feature.ts' },
      ],
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          message: 'This import goes against the direction core ← engine ← features ← app ← cli.',
          policies: [
            { allow: { to: { module: { origin: 'core' } } } },
            { allow: { to: { module: { origin: 'external' } } } },
            { from: element('core'), allow: { to: element('core') } },
            {
              from: element('core'),
              disallow: { to: element(...above('core')) },
              message:
                'src/core knows nothing of ours outside src/core. Declare a port in src/core and let src/app pass it in.',
            },
            { from: element('engine'), allow: { to: element('core', 'engine', 'migrations') } },
            {
              from: element('engine'),
              disallow: { to: element(...above('engine')) },
              message:
                'An engine folder knows no feature. Let the feature declare it in its index.ts, and take it as an option.',
            },
            { from: element('projections'), allow: { to: element('core', 'engine', 'projections') } },
            {
              from: element('projections'),
              disallow: { to: element('feature', 'features', 'app', 'cli') },
              message: 'A projection works from events alone. Of a feature, import events.ts.',
            },
            { from: element('projections'), allow: { to: { file: { categories: 'events' } } } },
            { from: element('feature', 'features'), allow: { to: element('core', 'engine', 'projections') } },
            {
              from: element('feature'),
              disallow: { to: element('feature') },
              message: 'Import another feature only through its index.ts.',
            },
            { from: element('feature'), allow: { to: { file: { categories: 'definition' } } } },
            {
              from: element('feature'),
              allow: {
                to: { element: { type: 'feature', captured: { feature: '{{ from.element.captured.feature }}' } } },
              },
            },
            { from: element('feature'), allow: { to: { file: { categories: 'index' } } } },
            { from: element('features'), allow: { to: element('feature', 'features') } },
            {
              from: element('feature'),
              disallow: { to: element('app', 'cli') },
              message: 'A feature knows no adapter and no process. Take it from the context (src/features/feature.ts).',
            },
            {
              from: element('app'),
              allow: { to: element('core', 'engine', 'feature', 'features', 'projections', 'migrations', 'app') },
            },
            {
              from: element('cli'),
              allow: {
                to: element('core', 'engine', 'feature', 'features', 'projections', 'migrations', 'app', 'cli'),
              },
            },
          ],
        },
      ],
    },
  },
];

function above(layer) {
  return layers.slice(layers.indexOf(layer) + 1);
}
