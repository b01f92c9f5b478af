import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import * as fc from 'fast-check';
import { UsherdError } from '../../../core/errors.ts';
import { closuresOf, linkModules, symbolOwners } from '../../../core/kmod/depmod/dependency-graph.ts';
import { mergeDepmodConfig, parseDepmodConf } from '../../../core/kmod/depmod/depmod-conf.ts';
import { FactsCache } from '../../../core/kmod/depmod/facts-cache.ts';
import { superFastHash } from '../../../core/kmod/depmod/hash-order.ts';
import { parseSymvers, parseSystemMap } from '../../../core/kmod/depmod/known-symbols.ts';
import { FactsReader, NO_FACTS } from '../../../core/kmod/depmod/module-facts.ts';
import { type DepmodPlan, planDepmod } from '../../../core/kmod/depmod/plan-depmod.ts';
import { scanTree, TREE_DEPTH_MAX } from '../../../core/kmod/depmod/scan-tree.ts';
import { SymbolNames } from '../../../core/kmod/depmod/symbol-names.ts';
import { writeDepmodOutputs } from '../../../core/kmod/depmod/write-outputs.ts';
import { decompressors } from '../../../core/kmod/ko/compression.ts';
import { ModuleFile } from '../../../core/kmod/ko/module-file.ts';
import { ModuleTree } from '../../../core/kmod/module-tree.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { writeKo } from '../../support/ko-writer.ts';
import { makeWorld, type ModuleWorld } from '../../support/module-world.ts';

const UNPACKERS = decompressors();
/** What a plain C program of the published algorithm says of the names in the test. */
const HASHES = [0x00000000, 0x115ea782, 0x516b8b44, 0xd2be198a, 0xdad8b8db, 0x9f9b2fab, 0x0535f561];
const DEFAULTS = mergeDepmodConfig([], '6.1.0');

function plan({ tree }: ModuleWorld, cache?: FactsCache): DepmodPlan {
  return planDepmod({ dir: tree, config: DEFAULTS, unpackers: UNPACKERS }, cache);
}

test('what is planned and written is what a tree then answers', t => {
  const world = makeWorld(t, {
    modules: {
      'kernel/a.ko': { exports: [['a_fn', 1]], modinfo: [['alias', 'pci:v1*']] },
      'kernel/b.ko': { needs: ['a_fn'] },
    },
  });
  const { outputs } = plan(world);
  const out = path.join(world.root, 'out/lib');
  writeDepmodOutputs(out, outputs);
  t.deepEqual(readdirSync(out).toSorted(), outputs.map(({ name }) => name).toSorted());
  t.is(statSync(path.join(out, 'modules.dep')).mode & 0o777, 0o644);
  const tree = ModuleTree.open(out);
  t.deepEqual(tree.module(moduleName('b')), {
    name: moduleName('b'),
    path: 'kernel/b.ko',
    dependencies: [moduleName('a')],
  });
  t.like(tree.aliasIndex().match('pci:v1d2'), [{ pattern: 'pci:v1*', module: moduleName('a') }]);
  t.is(tree.symbolIndex().match('symbol:a_fn')[0]?.module, moduleName('a'));
});

test('files that cannot be written leave nothing half written behind', t => {
  const world = makeWorld(t, { modules: { 'a.ko': {} } });
  const { outputs } = plan(world);
  // A folder in the place of one of the files cannot be replaced by it.
  mkdirSync(path.join(world.root, 'out/modules.symbols/x'), { recursive: true });
  const error = t.throws(() => writeDepmodOutputs(path.join(world.root, 'out'), outputs), { instanceOf: UsherdError });
  t.is(error?.code, 'FILE_UNWRITABLE');
  t.deepEqual(
    readdirSync(path.join(world.root, 'out')).filter(name => name.endsWith('.tmp')),
    [],
  );
});

test('a second run reads only the files that have changed, and comes to the same', t => {
  const world = makeWorld(t, {
    modules: {
      'kernel/a.ko': { exports: [['a_fn', 1]], modinfo: [['alias', 'x-é']] },
      'kernel/b.ko': { needs: ['a_fn'], modinfo: [['softdep', 'pre: a']] },
    },
  });
  const file = path.join(world.root, 'state/facts.cache');
  const run = (): { read: number; outputs: string } => {
    const cache = new FactsCache(file, UNPACKERS);
    const { modules, outputs } = plan(world, cache);
    t.true(cache.save(modules, ''));
    return { read: cache.filesRead, outputs: JSON.stringify(outputs) };
  };
  const first = run();
  t.is(first.read, 2);
  t.deepEqual(run(), { ...first, read: 0 });
  writeFileSync(path.join(world.tree, 'kernel/c.ko'), writeKo({ needs: ['a_fn'] }));
  t.is(run().read, 1);
  utimesSync(path.join(world.tree, 'kernel/b.ko'), 9, 9);
  const touched = run();
  t.is(touched.read, 1);
  rmSync(path.join(world.tree, 'kernel/c.ko'));
  t.deepEqual(run(), { ...first, read: 0 });
  const bytes = readFileSync(file);
  bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  t.deepEqual(run(), first);
  t.is(JSON.stringify(plan(world).outputs), first.outputs);
});

test('of two files that nothing tells apart the first path stays, and both are named', t => {
  const world = makeWorld(t, { modules: { 'kernel/z/a.ko': {}, 'kernel/b/a.ko': {} } });
  const { modules, problems } = scanTree(world.tree, DEFAULTS);
  t.deepEqual(
    modules.map(({ path: file }) => file),
    ['kernel/b/a.ko'],
  );
  t.regex(problems[0]?.message ?? '', /^is a second "a" besides kernel\/b\/a.ko, which stays/);
});

test('links to files and folders are followed, the kernel’s sources are not entered, and a circle ends', t => {
  const world = makeWorld(t, {
    modules: { 'kernel/a.ko': {}, 'build/b.ko': {}, 'kernel/source/c.ko': {}, 'other/d.ko': {} },
  });
  symlinkSync('../../other', path.join(world.tree, 'kernel/link'));
  symlinkSync('..', path.join(world.tree, 'kernel/circle'));
  const { modules, problems } = scanTree(world.tree, { ...DEFAULTS, excluded: ['other'] });
  t.deepEqual(modules.map(({ name }) => name as string).toSorted(), ['a']);
  t.deepEqual(
    problems.filter(({ message }) => message.startsWith('leads')).map(({ place, message }) => [place.file, message]),
    [[`${world.tree}/kernel/circle`, `leads back to ${world.tree}, which it is in`]],
  );
});

test('links that lead from folder to folder without end do not keep the walk', t => {
  const world = makeWorld(t, { modules: { 'kernel/one/a.ko': {}, 'kernel/two/b.ko': {} } });
  for (const from of ['one', 'two']) {
    for (const name of ['x', 'y', 'z'])
      for (const to of ['one', 'two']) symlinkSync(`../${to}`, path.join(world.tree, 'kernel', from, `${name}-${to}`));
  }
  let deep = world.tree;
  for (let i = 0; i <= TREE_DEPTH_MAX; i++) deep = path.join(deep, 'd');
  mkdirSync(deep, { recursive: true });
  const { modules, problems } = scanTree(world.tree, DEFAULTS);
  t.deepEqual(modules.map(({ name }) => name as string).toSorted(), ['a', 'b']);
  t.true(problems.some(({ message }) => message === `is more than ${TREE_DEPTH_MAX} folders deep`));
});

test('the hash is SuperFastHash with the length as its seed', t => {
  t.deepEqual(['', 'a', 'ab', 'abc', 'abcd', 'usb_storage', 'snd_hda_codec_hdmi'].map(superFastHash), HASHES);
});

test('symbols have one number each, however often and from wherever they are met', t => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z_.]{0,12}$/), { maxLength: 200 }), texts => {
      const names = new SymbolNames();
      const numbers = texts.map(text => names.numberOf(text));
      t.is(names.count, new Set(texts).size);
      t.deepEqual(
        numbers.map(number => names.text(number)),
        texts,
      );
    }),
  );
  const many = new SymbolNames();
  const texts = Array.from({ length: 100_000 }, (_, i) => `symbol_number_${i}`);
  t.true(texts.every((text, i) => many.numberOf(text) === i));
  t.is(many.text(77_777), 'symbol_number_77777');
});

test('the fast reader of facts says what the careful reader of modules says', t => {
  const symbol = fc.stringMatching(/^[a-z_.]{1,8}$/);
  const spec = fc.record({
    bits: fc.constantFrom(32, 64),
    endian: fc.constantFrom('little', 'big'),
    exports: fc.uniqueArray(fc.tuple(symbol, fc.nat()), { maxLength: 5, selector: ([name]) => name }),
    needs: fc.uniqueArray(symbol, { maxLength: 5 }),
    versions: fc.uniqueArray(fc.tuple(symbol, fc.nat()), { maxLength: 5, selector: ([name]) => name }),
    extendedVersions: fc.uniqueArray(fc.tuple(symbol, fc.nat()), { maxLength: 5, selector: ([name]) => name }),
    modinfo: fc.array(fc.tuple(fc.constantFrom('alias', 'softdep', 'weakdep', 'parm', 'aliasx'), symbol), {
      maxLength: 6,
    }),
    withoutCrcs: fc.boolean(),
  });
  const world = makeWorld(t, {});
  const file = path.join(world.tree, 'm.ko');
  fc.assert(
    fc.property(spec, described => {
      writeFileSync(file, writeKo(described));
      const names = new SymbolNames();
      const facts = new FactsReader(names, UNPACKERS).read(file);
      using module = ModuleFile.open(file, UNPACKERS);
      const info = module.modinfo();
      t.deepEqual([facts.aliases, facts.softdeps, facts.weakdeps], [info.aliases, info.softdeps, info.weakdeps]);
      t.deepEqual(
        Array.from(facts.exports, number => names.text(number)),
        module.exportedSymbols().map(({ name }) => name),
      );
      const needed = [...new Set(module.neededSymbols().map(({ name }) => name))];
      t.deepEqual(
        Array.from(facts.needs, need => names.text(need >> 1)),
        needed,
      );
    }),
    { numRuns: 200 },
  );
});

test('a file with changed bytes gives facts or is refused', t => {
  const whole = writeKo({
    exports: [['a', 1]],
    needs: ['b'],
    versions: [['c', 1]],
    extendedVersions: [['e', 1]],
    modinfo: [['alias', 'd']],
  });
  const world = makeWorld(t, {});
  const file = path.join(world.tree, 'm.ko');
  const reader = new FactsReader(new SymbolNames(), UNPACKERS);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.constantFrom(0, 1, 0x7f, 0xff)), { minLength: 1, maxLength: 6 }),
      changes => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        writeFileSync(file, bytes);
        try {
          reader.read(file);
        } catch (error) {
          t.true(error instanceof UsherdError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

/** A graph from who needs whom: module i exports symbol i. */
function graphOf(needs: readonly (readonly number[])[]): ReturnType<typeof linkModules> {
  const facts = needs.map((own, i) => ({
    ...NO_FACTS,
    exports: Int32Array.of(i),
    needs: Int32Array.from(own, symbol => symbol * 2),
  }));
  return linkModules(facts, symbolOwners(facts, needs.length));
}

test('users have smaller numbers than what they use, and the closure is all that can be reached', t => {
  const needs = fc
    .integer({ min: 1, max: 12 })
    .chain(count =>
      fc.tuple(
        ...Array.from({ length: count }, (_, i) =>
          fc.uniqueArray(fc.nat(count), { maxLength: 4 }).map(list => list.filter(other => other > i && other < count)),
        ),
      ),
    );
  fc.assert(
    fc.property(needs, graphNeeds => {
      const graph = graphOf(graphNeeds);
      t.deepEqual(graph.cycles, []);
      t.deepEqual(
        [...graph.numbers].toSorted((a, b) => a - b),
        [...graphNeeds.keys()],
      );
      for (const [module, own] of graphNeeds.entries()) {
        for (const other of own) t.true((graph.numbers[module] ?? 0) < (graph.numbers[other] ?? 0));
        const reached = new Set(own);
        for (const found of reached) for (const other of graphNeeds[found] ?? []) reached.add(other);
        t.deepEqual(
          closuresOf(graph)(module).toSorted((a, b) => a - b),
          [...reached].toSorted((a, b) => a - b),
        );
      }
    }),
  );
});

test('each cycle is closed and made of real needs', t => {
  const needs = fc
    .integer({ min: 1, max: 8 })
    .chain(count =>
      fc.array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count }),
    );
  fc.assert(
    fc.property(needs, graphNeeds => {
      const { cycles, numbers } = graphOf(graphNeeds);
      t.is(cycles.length > 0, numbers.includes(-1));
      for (const cycle of cycles) {
        t.is(cycle[0], cycle.at(-1));
        for (const [i, module] of cycle.slice(0, -1).entries())
          t.true(graphNeeds[module]?.includes(cycle[i + 1] ?? -1));
      }
    }),
  );
});

test('depmod.d: each directive with its place, each bad line named', t => {
  const place = { file: 'a.conf', line: 1 };
  const { directives, problems } = parseDepmodConf(
    'search updates built-in\noverride foo * extra\nexternal 6.* /opt/m\nexclude test debug\nbogus\noverride a\nexternal * relative\ninclude x\n',
    'a.conf',
  );
  t.deepEqual(directives, [
    { kind: 'search', paths: ['updates', 'built-in'], place },
    { kind: 'override', module: 'foo', release: '*', folder: 'extra', place: { ...place, line: 2 } },
    { kind: 'external', release: '6.*', folder: '/opt/m', place: { ...place, line: 3 } },
    { kind: 'exclude', names: ['test', 'debug'], place: { ...place, line: 4 } },
  ]);
  t.deepEqual(
    problems.map(({ place: { line }, message }) => `${line}: ${message}`),
    [
      '5: ignoring a bad line: found "bogus", wanted one of search, override, external, exclude',
      '6: ignoring a bad line: found "override a", wanted "override MODULE RELEASE FOLDER"',
      '7: ignoring a bad line: found "external * relative", wanted "external RELEASE /FOLDER"',
      '8: "include" is deprecated and not read any more',
    ],
  );
});

test('depmod.d for another release does not count, and a bad expression is named', t => {
  const { directives } = parseDepmodConf(
    'override a ^6\\\\.1 x\noverride b ^5 y\nexternal ( /opt\nexternal 6 /ext\n',
    'a.conf',
  );
  const { overrides, externals, search, problems } = mergeDepmodConfig(directives, '6.1.0');
  t.deepEqual([overrides, externals, search], [[{ module: 'a', folder: 'x' }], ['/ext'], ['updates', 'built-in']]);
  t.deepEqual(
    problems.map(({ message }) => message),
    ['found "(", wanted "*" or a regular expression for a kernel release'],
  );
});

test('Module.symvers and System.map give the kernel’s own symbols', t => {
  t.deepEqual(
    parseSymvers('0xdeadbeef\tfn\tvmlinux\tEXPORT_SYMBOL\t\n0x1\tother\tdrivers/a\tEXPORT\t\nbad line\n', 'f'),
    {
      symbols: [{ name: 'fn', crc: 0xdeadbeef }],
      problems: [{ place: { file: 'f', line: 3 }, message: 'found "bad line", wanted "0xCRC NAME WHERE"' }],
    },
  );
  t.deepEqual(parseSystemMap('ffff T fn\nffff r __ksymtab_fn\nshort\n', 'f'), {
    symbols: [{ name: 'fn', crc: undefined }],
    problems: [{ place: { file: 'f', line: 3 }, message: 'found "short", wanted "ADDRESS TYPE NAME"' }],
  });
});

test('any text of depmod.d, Module.symvers or System.map is read to its end, each line a value or a problem', t => {
  const word = fc.constantFrom(
    'search',
    'override',
    'external',
    'exclude',
    'a',
    '*',
    '/x',
    '(',
    '0x1',
    'ffff',
    'T',
    '\\',
  );
  const line = fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 6 }).map(words => words.join(' '));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), lines => {
      const text = lines.join('\n');
      for (const read of [parseSymvers, parseSystemMap]) {
        const { symbols, problems } = read(text, 'f');
        t.true(symbols.length + problems.length <= text.split('\n').length);
      }
      const { directives, problems } = parseDepmodConf(text, 'f');
      t.true(directives.length + problems.length <= text.split('\n').length);
      mergeDepmodConfig(directives, '6.1.0');
    }),
    { numRuns: 500 },
  );
});
