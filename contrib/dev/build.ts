/**
 * Builds dist/: the native addon with cc, the command line and the daemon as one bundled file each.
 * `--test` also builds the addon under AddressSanitizer and UBSan, for its own tests.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { NODE_FLAGS } from './node-flags.ts';

const top = path.resolve(import.meta.dirname, '../..');
const dist = path.join(top, 'dist');
/** This very Node, or with --portable whichever is on the path. */
const interpreter = process.argv.includes('--portable')
  ? `/usr/bin/env -S node ${NODE_FLAGS}`
  : `${process.execPath} ${NODE_FLAGS}`;
const version = (JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string }).version;

const WARNINGS = [
  '-std=gnu11',
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-Wshadow',
  '-Wconversion',
  '-Wstrict-prototypes',
  '-Werror',
];

/** Folder with node_api.h of the Node that runs this, or the one next to a system Node. */
function nodeHeaders(): string {
  const prefix = path.resolve(process.execPath, '../..');
  const found = [path.join(prefix, 'include/node'), '/usr/include/node'].find(dir =>
    existsSync(path.join(dir, 'node_api.h')),
  );
  if (found === undefined)
    throw new Error(`build: node_api.h not found beside ${process.execPath} nor in /usr/include/node`);
  return found;
}

/** Compiles core/kernel/addon/*.c → `target` when a source is newer than it. */
function buildAddon(target: string, flags: readonly string[]): void {
  const folder = path.join(top, 'core/kernel/addon');
  const sources = globSync('*.c', { cwd: folder }).map(name => path.join(folder, name));
  if (sources.length === 0) return;
  const inputs = [
    ...sources,
    ...globSync('*.h', { cwd: folder }).map(name => path.join(folder, name)),
    import.meta.filename,
  ];
  const builtAt = existsSync(target) ? statSync(target).mtimeMs : 0;
  if (inputs.every(file => statSync(file).mtimeMs < builtAt)) return;
  const args = [
    '-shared',
    '-fPIC',
    ...WARNINGS,
    ...flags,
    '-DNAPI_VERSION=8',
    '-isystem',
    nodeHeaders(),
    '-o',
    target,
    ...sources,
    '-ldl',
    '-lpthread',
    // A thread may still be inside the kernel when its worker ends: the code it returns to must not be unloaded.
    '-Wl,-z,nodelete',
  ];
  execFileSync(process.env['CC'] ?? 'cc', args, { stdio: 'inherit' });
}

/** Compiles a small program that runs where nothing else may be there: static, so that it needs no library. */
function buildProgram(target: string, names: readonly string[]): void {
  const sources = names.map(name => path.join(top, 'contrib', name));
  const builtAt = existsSync(target) ? statSync(target).mtimeMs : 0;
  if ([...sources, import.meta.filename].every(file => statSync(file).mtimeMs < builtAt)) return;
  const flags = ['-O2', '-static', '-s', ...WARNINGS, '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'];
  execFileSync(process.env['CC'] ?? 'cc', [...flags, '-o', target, ...sources], { stdio: 'inherit' });
}

/** Parts that are loaded only when they run, each a file of its own: what some commands need, and the quick ones can do without. */
const APART = [
  { entry: 'core/daemon/main.ts', file: 'usherd.cjs' },
  { entry: 'core/cli/start-daemon.ts', file: 'usher-daemon.cjs' },
  { entry: 'core/cli/kmod/run-tool-call.ts', file: 'usher-kmod.cjs' },
  { entry: 'core/cli/kmod/run-depmod.ts', file: 'usher-depmod.cjs' },
  { entry: 'core/daemon/note-override.ts', file: 'usher-override.cjs' },
  { entry: 'core/cli/run-verb.ts', file: 'usher-verbs.cjs' },
  { entry: 'core/cli/run-status.ts', file: 'usher-status.cjs' },
  { entry: 'core/cli/run-why.ts', file: 'usher-why.cjs' },
  { entry: 'core/daemon/administrator-policy.ts', file: 'usher-policy.cjs' },
  { entry: 'core/daemon/rule-opinions-once.ts', file: 'usher-rules.cjs' },
  { entry: 'core/daemon/start-asked-plugins.ts', file: 'usher-plugins.cjs' },
  { entry: 'core/cli/ask-ledger.ts', file: 'usher-ledger.cjs' },
] as const;
/** Loaded by Node itself, as the first file of a thread. */
const THREAD = { entry: 'core/cli/answers/answer-worker.ts', file: 'usher-answers.cjs' } as const;

/** What require() writes around a module. In the file it costs no second copy of half a megabyte of text (cli/load-part.ts). */
const PART_AROUND = {
  banner: '(function (exports, require, module, __filename, __dirname) {',
  footer: '})',
} as const;

/**
 * Has parts loaded from their files and not bundled with whoever needs them. A part is given what loads others (cli/load-part.ts); what
 * Node loads, a command or a thread, brings it along.
 */
function keepApart(build: esbuild.PluginBuild, isPart: boolean): void {
  for (const { entry, file } of [...APART, THREAD]) {
    const name = new RegExp(`/${path.basename(path.dirname(entry))}/${path.basename(entry)}$`.replaceAll('.', '\\.'));
    build.onResolve({ filter: /\.ts$/ }, ({ kind, path: request, resolveDir }) =>
      kind === 'entry-point' || !name.test(path.join(resolveDir, request))
        ? undefined
        : isPart
          ? { path: `./${file}`, external: true }
          : { path: file, namespace: 'apart' },
    );
  }
  build.onLoad({ filter: /.*/, namespace: 'apart' }, ({ path: file }) => ({
    contents: `module.exports = require('./core/cli/load-part.ts').loadPart(__dirname, ${JSON.stringify(file)}).exports;`,
    resolveDir: top,
    loader: 'js',
  }));
}

/** Node's own modules that are not there yet when it has started: each takes 1 to 9 ms to load, and most runs need few of them. */
const LATE_BUILTINS =
  /^node:(?:child_process|crypto|fs\/promises|https?|net|readline|readline\/promises|stream|stream\/promises|worker_threads|zlib)$/;

/** Has such a module loaded when something of it is used for the first time, and not with whatever imports it. */
function loadLate(build: esbuild.PluginBuild): void {
  build.onResolve({ filter: LATE_BUILTINS }, ({ path: name }) => ({ path: name, namespace: 'late' }));
  build.onLoad({ filter: /.*/, namespace: 'late' }, ({ path: name }) => ({
    // Whoever imports it gets an object of this one's prototype, and asks that for each name: nothing is gone through beforehand.
    contents: `let loaded;
      const load = (_, name) => (loaded ??= process.getBuiltinModule(${JSON.stringify(name)}))[name];
      module.exports = Object.create(new Proxy({}, { get: load }));`,
    loader: 'js',
  }));
}

/** Modules of Node's whose default is imported in many files: as they are, and not as a copy of all their names for each file. */
function importWhole(build: esbuild.PluginBuild): void {
  build.onResolve({ filter: /^node:(?:os|path)$/ }, ({ kind, path: name }) =>
    kind === 'import-statement' ? { path: name, namespace: 'whole' } : undefined,
  );
  build.onLoad({ filter: /.*/, namespace: 'whole' }, ({ path: name }) => ({
    contents: `export default process.getBuiltinModule(${JSON.stringify(name)});`,
    loader: 'js',
  }));
}

/**
 * Bundles better-sqlite3, whose dozen of files Node's own loader takes 4 ms to find and read, with the addon that it would choose on this
 * machine. Where that does not lie beside dist/, as npm may have it, the package is loaded as it is.
 */
function bundleSqlite(build: esbuild.PluginBuild): void {
  const folder = path.join(top, 'node_modules/better-sqlite3');
  const { getPrebuildPath } = createRequire(import.meta.url)(path.join(folder, 'lib/binding.js')) as {
    readonly getPrebuildPath: () => string | null;
  };
  const addon = getPrebuildPath();
  if (addon === null || existsSync(path.join(folder, 'build'))) return;
  build.onResolve({ filter: /^better-sqlite3$/ }, ({ kind, path: name }) =>
    kind === 'import-statement' ? { path: name, namespace: 'sqlite' } : { path: name, external: true },
  );
  build.onLoad({ filter: /.*/, namespace: 'sqlite' }, () => ({
    contents: `
      const path = require('node:path').join(__dirname, ${JSON.stringify(path.relative(dist, addon))});
      if (require('node:fs').existsSync(path)) {
        const addon = { exports: {} };
        process.dlopen(addon, path);
        module.exports = require('./lib/database.js')(() => addon.exports, false);
        module.exports.SqliteError = require('./lib/sqlite-error.js');
      } else module.exports = require('better-sqlite3');`,
    resolveDir: folder,
    loader: 'js',
  }));
}

/** Bundles one entry → one CommonJS file that this very Node runs. */
async function bundle(
  { entry, file }: { readonly entry: string; readonly file: string },
  around: { readonly banner: string; readonly footer?: string },
): Promise<void> {
  const outfile = path.join(dist, file);
  await esbuild.build({
    entryPoints: [path.join(top, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // Names stay, so that a stack trace says where it was; wrapping each function to keep its name would cost every start.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    banner: { js: around.banner },
    footer: { js: around.footer ?? '' },
    // import() would take Node's other loader along, some 8 ms of each start; as require() it does not.
    supported: { 'dynamic-import': false },
    external: ['better-sqlite3', '*.node'],
    plugins: [
      { name: 'apart', setup: build => keepApart(build, around === PART_AROUND) },
      { name: 'late', setup: loadLate },
      { name: 'whole', setup: importWhole },
      { name: 'sqlite', setup: bundleSqlite },
    ],
    define: { 'import.meta.dirname': '__dirname', USHERD_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
}

/** What plugins import by name, and what runs them in a jail: ES modules, since plugins are. */
async function bundleForPlugins(): Promise<void> {
  const entries = {
    'usher-plugin': 'core/plugin-host/jail-main.ts',
    plugin: 'core/plugin-api/index.ts',
    'plugin-test': 'core/plugin-host/try-plugin.ts',
    schema: 'node_modules/valibot/dist/index.mjs',
  };
  await esbuild.build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, path.join(top, file)])),
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/** What an author's editor and compiler know of what plugins import by name. */
function declareForPlugins(): void {
  const types = path.join(dist, 'types');
  const options = {
    declaration: 'true',
    emitDeclarationOnly: 'true',
    rootDir: 'core',
    outDir: types,
    target: 'es2023',
    module: 'nodenext',
    lib: 'es2024,esnext.disposable',
    types: 'node',
    strict: 'true',
    skipLibCheck: 'true',
    allowImportingTsExtensions: 'true',
  };
  const words = [
    '--ignoreConfig',
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    'core/plugin-api/index.ts',
    'core/plugin-host/try-plugin.ts',
  ];
  execFileSync(path.join(top, 'node_modules/.bin/tsc'), words, { cwd: top, stdio: 'inherit' });
  copyFileSync(path.join(top, 'node_modules/valibot/dist/index.d.mts'), path.join(types, 'schema.d.mts'));
}

/** Has the code that V8 makes of the parts kept beside them, by a Node with the flags they will run with. */
function keepCompiled(): void {
  const script = path.join(import.meta.dirname, 'keep-compiled.ts');
  execFileSync(process.execPath, [NODE_FLAGS, script], { stdio: 'ignore' });
}

mkdirSync(dist, { recursive: true });
writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');
buildAddon(path.join(dist, 'usherd.node'), ['-O2']);
buildProgram(path.join(dist, 'usher-modprobe'), ['modprobe-helper/usher-modprobe.c', 'client/ask-daemon.c']);
buildProgram(path.join(dist, 'usher-client'), ['client/usher-client.c', 'client/ask-daemon.c']);
buildProgram(path.join(dist, 'usher-jail'), ['plugin-jail/usher-jail.c']);
if (process.argv.includes('--test')) {
  buildAddon(path.join(dist, 'usherd.sanitized.node'), [
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-omit-frame-pointer',
  ]);
}
if (existsSync(path.join(top, 'core/cli/main.ts'))) {
  for (const part of APART) await bundle(part, PART_AROUND);
  await bundle(THREAD, { banner: '' });
  await bundleForPlugins();
  declareForPlugins();
  // Looks at what it was called as, and loads the part that is meant.
  await bundle({ entry: 'core/cli/main.ts', file: 'usher' }, { banner: `#!${interpreter}\n'use strict';` });
  keepCompiled();
}
