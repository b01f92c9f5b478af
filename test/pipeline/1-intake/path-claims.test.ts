import test from 'ava';
import { PathClaims, type Claim } from '../../../core/pipeline/1-intake/path-claims.ts';

const claim = (): Claim => ({ dependents: [], blockers: 0, lastDependent: undefined, places: [] });

test('an event on a parent waits once for each of its thousand children, and the next one only for it', t => {
  const claims = new PathClaims();
  const children = Array.from({ length: 1000 }, claim);
  children.forEach((child, i) => claims.enter(child, [`/devices/pci0/d${i}`], undefined));
  const [parent, next, below] = [claim(), claim(), claim()];
  claims.enter(parent, ['/devices/pci0'], undefined);
  claims.enter(next, ['/devices/pci0'], undefined);
  claims.enter(below, ['/devices/pci0/d7/x'], undefined);
  t.deepEqual([parent.blockers, next.blockers], [1000, 1]);
  // Of its parent's events the last one, and the unfinished one of the device in between.
  t.is(below.blockers, 2);
});

test('when all events are done no path is left', t => {
  const claims = new PathClaims();
  const paths = ['/devices/a', '/devices/a/b', '/devices/a', '/devices/a/b/c', '/devices/d'];
  const entered = paths.map(path => {
    const entry = claim();
    claims.enter(entry, [path, '/devices/old/place'], 'sda');
    return entry;
  });
  t.true(claims.size > 0);
  for (const entry of entered) claims.leave(entry, 'sda');
  t.is(claims.size, 0);
});
