/** Files that take longest are begun first, so that none of them runs alone at the end. */
const LONGEST = ['vendor-driver', 'policy', 'lifecycle', 'plugins', 'modules', 'kmod-tools'].map(
  name => `/${name}.test.ts`,
);

function rank(file) {
  const at = LONGEST.findIndex(name => file.endsWith(name));
  return at < 0 ? LONGEST.length : at;
}

/** Tests on a real kernel: each file boots one, so no more run at once than a small machine has processors. */
export default {
  concurrency: 2,
  extensions: ['ts'],
  files: ['test/vm/**/*.test.ts'],
  sortTestFiles: (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1),
  timeout: '9m',
  workerThreads: false,
};
