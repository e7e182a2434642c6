// Tests are beside the code (*.unit.test.ts, *.int.test.ts); tests of the whole system are in tests/ (*.sys.test.ts).
/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{src,projections,tests,bench}/**/*.{unit,int,sys}.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2024', parser: { syntax: 'typescript' }, experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/tests/support/globalSetup.ts',
  globalTeardown: '<rootDir>/tests/support/globalTeardown.ts',
  testTimeout: 60_000,
  // Tests of whole systems wait about half of their time, so two cores have time for a third one.
  maxWorkers: 3,
  testSequencer: '<rootDir>/tests/support/longestFirst.js',
  // For .ci/run, which runs failed system tests a second time.
  ...(process.env['FAILED_TESTS_FILE'] !== undefined && { reporters: ['default', '<rootDir>/.ci/failedTests.js'] }),
};
