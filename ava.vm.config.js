/** Tests on a real kernel: each file boots one, so no more run at once than a small machine has processors. */
export default {
  concurrency: 2,
  extensions: ['ts'],
  files: ['test/vm/**/*.test.ts'],
  timeout: '9m',
  workerThreads: false,
};
