import tseslint from 'typescript-eslint';

const typed = ['src/**/*.ts', 'projections/**/*.ts', 'migrations/**/*.ts', 'bench/**/*.ts', 'tests/**/*.ts'];

export default tseslint.config(
  { ignores: ['node_modules/', 'data/', 'coverage/'] },
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
  {
    // Deciders are pure: time, ids and look-ups come in with the command.
    files: ['src/**/*.decider.ts', 'src/**/decider.ts', 'src/**/events.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'setInterval', 'fetch', 'crypto', 'performance'],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }],
      'no-restricted-imports': ['error', {
        patterns: [{ regex: '^(?!\\.{1,2}/)', message: 'A decider imports only domain code.' },
          { regex: '/(eventStore|delivery|projecting|cache|objectStore|media|http|realtime|telemetry|postgres)/', message: 'A decider knows no adapter.' }],
      }],
    },
  },
  { files: ['src/main.ts', 'src/cli/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
);
