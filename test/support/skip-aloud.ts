import test, { type ImplementationFn } from 'ava';

type Declare = (title: string, implementation: ImplementationFn<[]>) => void;

/**
 * `test` when what a test needs is there, else a `test.skip` that says on stderr what is missing: a skip must not be taken for a pass.
 * Serial tests of a file run one after another. `missing` is undefined, or a clause such as "root is needed to write to /sys".
 */
export function testUnless(missing: string | undefined, { isSerial = false } = {}): Declare {
  const declare = isSerial ? test.serial : test;
  if (missing === undefined) return (title, implementation) => declare(title, implementation);
  return (title, implementation) => {
    process.stderr.write(`SKIPPED: ${title}: ${missing}\n`);
    test.skip(title, implementation);
  };
}
