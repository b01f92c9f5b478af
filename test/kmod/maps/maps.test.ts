import test from 'ava';
import * as fc from 'fast-check';
import { parseModulesAlias } from '../../../core/kmod/maps/modules-alias.ts';
import { parseModulesBuiltin } from '../../../core/kmod/maps/modules-builtin.ts';
import { parseModulesBuiltinModinfo } from '../../../core/kmod/maps/modules-builtin-modinfo.ts';
import { formatDepLine, parseDepLine, parseModulesDep } from '../../../core/kmod/maps/modules-dep.ts';
import { formatDevnameLine, parseModulesDevname } from '../../../core/kmod/maps/modules-devname.ts';
import { parseModulesOrder } from '../../../core/kmod/maps/modules-order.ts';
import { formatSoftdepLine, parseModulesSoftdep } from '../../../core/kmod/maps/modules-softdep.ts';
import { formatSymbolLine, parseModulesSymbols } from '../../../core/kmod/maps/modules-symbols.ts';
import { formatWeakdepLine, parseModulesWeakdep } from '../../../core/kmod/maps/modules-weakdep.ts';

test('modules.dep: a path, a colon, and what it needs', t => {
  t.deepEqual(parseModulesDep('# c\na.ko: b.ko  c.ko\n\nd.ko:\nno colon', 'modules.dep'), {
    entries: [
      { path: 'a.ko', dependencies: ['b.ko', 'c.ko'] },
      { path: 'd.ko', dependencies: [] },
    ],
    problems: [{ place: { file: 'modules.dep', line: 5 }, message: 'found "no colon", wanted "PATH: PATH…"' }],
  });
});

test('a line of modules.dep that is written is the line that is read', t => {
  const path = fc.stringMatching(/^[a-z/_-]{1,12}\.ko$/);
  fc.assert(
    fc.property(path, fc.array(path, { maxLength: 5 }), (own, dependencies) => {
      const line = { path: own, dependencies };
      t.deepEqual(parseDepLine(formatDepLine(line)), line);
    }),
  );
});

test('modules.alias and modules.symbols: the pattern as written, the module normalised', t => {
  t.deepEqual(parseModulesAlias('# Aliases\nalias pci:v-* my-mod extra\nalias short\nother x y', 'f') as unknown, {
    entries: [{ pattern: 'pci:v-*', module: 'my_mod', line: 2 }],
    problems: [
      { place: { file: 'f', line: 3 }, message: 'found "alias short", wanted "alias PATTERN MODULE"' },
      { place: { file: 'f', line: 4 }, message: 'found "other x y", wanted "alias PATTERN MODULE"' },
    ],
  });
  const { entries, problems } = parseModulesSymbols(
    `${formatSymbolLine('usb_register', 'usbcore')}alias fn mod\n`,
    'f',
  );
  t.deepEqual(entries as unknown, [{ symbol: 'usb_register', module: 'usbcore' }]);
  t.deepEqual(
    problems.map(({ place }) => place.line),
    [2],
  );
});

test('modules.softdep and modules.weakdep come back as they were written', t => {
  t.deepEqual(parseModulesSoftdep(formatSoftdepLine('a', 'x pre: b c post: d'), 'f').entries as unknown, [
    { module: 'a', pre: ['b', 'c'], post: ['d'] },
  ]);
  t.deepEqual(parseModulesWeakdep(formatWeakdepLine('a', 'b c'), 'f').entries as unknown, [
    { module: 'a', modules: ['b', 'c'] },
  ]);
  t.is(parseModulesSoftdep('softdep a\n', 'f').problems.length, 1);
  t.is(parseModulesWeakdep('weakdep a\n', 'f').problems.length, 1);
});

test('modules.devname: a module, a node, its type and numbers', t => {
  const line = { module: 'tun', node: 'net/tun', type: 'c', major: 10, minor: 200 } as const;
  const { entries, problems } = parseModulesDevname(
    `# Device nodes\n${formatDevnameLine(line as never)}tun net/tun x1:2\n`,
    'f',
  );
  t.deepEqual(entries as unknown, [line]);
  t.deepEqual(problems, [
    { place: { file: 'f', line: 3 }, message: 'found "tun net/tun x1:2", wanted "MODULE NODE cMAJOR:MINOR"' },
  ]);
});

test('modules.builtin, modules.order and modules.builtin.modinfo', t => {
  t.deepEqual(parseModulesOrder('kernel/a.ko\n\nkernel/b-c.ko'), ['kernel/a.ko', 'kernel/b-c.ko']);
  t.deepEqual(parseModulesBuiltin('kernel/a.ko\nkernel/b-c.ko.xz\n') as unknown, ['a', 'b_c']);
  t.deepEqual(parseModulesBuiltinModinfo('a-b.license=GPL\0a-b.parm=x.y:z=1\0bad\0c.alias=d', 'f') as unknown, {
    entries: [
      { module: 'a_b', key: 'license', value: 'GPL' },
      { module: 'a_b', key: 'parm', value: 'x.y:z=1' },
      { module: 'c', key: 'alias', value: 'd' },
    ],
    problems: [{ place: { file: 'f', offsetBytes: 33 }, message: 'found "bad", wanted "MODULE.KEY=VALUE"' }],
  });
});

test('any text is read to its end by every reader', t => {
  const unit = fc.constantFrom('alias ', 'softdep ', 'a', ':', ' ', '\n', '\0', '=', '.', '#', 'pre:', 'c1:2');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), text => {
      const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length;
      for (const parse of [
        parseModulesDep,
        parseModulesAlias,
        parseModulesSymbols,
        parseModulesSoftdep,
        parseModulesWeakdep,
        parseModulesDevname,
      ]) {
        const { entries, problems } = parse(text, 'f');
        t.is(entries.length + problems.length, lines, parse.name);
      }
      parseModulesBuiltinModinfo(text, 'f');
    }),
    { numRuns: 300 },
  );
});
