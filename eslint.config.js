import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import { boundariesConfig } from './eslint.boundaries.js';

const typed = [
  'src/**/*.ts',
  'projections/**/*.ts',
  'migrations/**/*.ts',
  'bench/**/*.ts',
  'tests/**/*.ts',
  'web/src/**/*.{ts,tsx}',
];

const impureGlobals = ['process', 'setTimeout', 'setInterval', 'fetch', 'crypto', 'performance', 'globalThis'];
const chance = { object: 'Math', property: 'random' };

export default tseslint.config(
  { ignores: ['node_modules/', 'data/', 'coverage/', 'web/dist/', 'web/src/api/schema.d.ts'] },
  {
    files: typed,
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  ...boundariesConfig,
  { files: ['web/src/**/*.{ts,tsx}'], extends: [reactHooks.configs.flat.recommended] },
  {
    // Deciders are pure. The command brings the time, ids and the results of queries.
    files: ['src/features/**/*.decider.ts', 'src/features/**/decider.ts', 'src/features/**/events.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Date', ...impureGlobals],
      'no-restricted-properties': ['error', chance],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^(?!\\.{1,2}/)', message: 'A decider imports only domain code.' },
            {
              regex:
                '/(eventStore|delivery|projecting|cache|objectStore|media(?!/mediaFacts\\.ts$)|http|realtime|telemetry|postgres)/',
              message: 'Deciders and events use no engine. Of media they may import the types in mediaFacts.ts.',
            },
          ],
        },
      ],
    },
  },
  {
    // A rebuild must give the same rows, so projections use only their events. They may parse a date, but not read the clock.
    files: ['projections/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', chance, { object: 'Date', property: 'now' }],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'A projection has no clock.' },
      ],
    },
  },
  { files: ['src/main.ts', 'src/cli/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
