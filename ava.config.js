/** The fast tests: `npm test`. Those that boot a kernel are `npm run test:vm` (ava.vm.config.js). */
export default {
  concurrency: 2,
  extensions: ['ts'],
  files: ['test/**/*.test.ts', '!test/vm/**'],
  timeout: '5m',
  workerThreads: false,
};
