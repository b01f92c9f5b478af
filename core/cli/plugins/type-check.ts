import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AuthoredPlugin } from './trial-folder.ts';

/** What the compiler says of a plugin. */
export type TypeCheck =
  | { readonly kind: 'checked'; readonly complaints: readonly string[]; readonly compiler: string }
  /** Nobody looked at the types, and why. */
  | { readonly kind: 'skipped'; readonly why: string };

/** A compiler that takes longer is stuck. */
const COMPILE_MAX_MS = 120_000;
const OUTPUT_MAX_BYTES = 4 * 1024 * 1024;

/** Type-checks a plugin written in TypeScript as strictly as usherd is, with the first compiler there is. */
export async function typeCheck(
  { entry, folder }: AuthoredPlugin,
  env: Readonly<Record<string, string | undefined>>,
  top = usherdFolder(),
): Promise<TypeCheck> {
  if (!/\.m?ts$/.test(entry)) return { kind: 'skipped', why: 'it is not TypeScript' };
  const compiler = findCompiler(folder, top, env);
  if (compiler === undefined) {
    const why = `no TypeScript compiler (tsc) in ${folder}/node_modules, beside usherd or on the PATH: npm install typescript`;
    return { kind: 'skipped', why };
  }
  const project = mkdtempSync(path.join(os.tmpdir(), 'usherd-types-'));
  try {
    writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify(projectFor(entry, folder, top)));
    const output = await run(compiler, project, folder);
    return { kind: 'checked', compiler, complaints: output.split('\n').filter(line => line.trim() !== '') };
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** The plugin's own compiler, usherd's, or one on the PATH. */
function findCompiler(
  folder: string,
  top: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const onPath = (env['PATH'] ?? '').split(':').filter(dir => dir.startsWith('/'));
  const places = [
    path.join(folder, 'node_modules/.bin/tsc'),
    path.join(top, 'node_modules/.bin/tsc'),
    ...onPath.map(dir => path.join(dir, 'tsc')),
  ];
  return places.find(place => existsSync(place));
}

/** Where the package is: sources lie three folders below it, built files one. */
function usherdFolder(): string {
  const here = import.meta.dirname;
  return path.resolve(here, isSource() ? '../../..' : '..');
}

function isSource(): boolean {
  return import.meta.dirname.endsWith(path.join('core', 'cli', 'plugins'));
}

/** A project of its own, so that nobody has to write one: what plugins import by name is where usherd has it. */
function projectFor(entry: string, folder: string, top: string): object {
  const types = isSource()
    ? {
        'usherd/plugin': path.join(top, 'core/plugin-api/index.ts'),
        'usherd/plugin-test': path.join(top, 'core/plugin-host/try-plugin.ts'),
        'usherd/schema': path.join(top, 'node_modules/valibot/dist/index.d.mts'),
      }
    : {
        'usherd/plugin': path.join(top, 'dist/types/plugin-api/index.d.ts'),
        'usherd/plugin-test': path.join(top, 'dist/types/plugin-host/try-plugin.d.ts'),
        'usherd/schema': path.join(top, 'dist/types/schema.d.mts'),
      };
  const typeRoots = [folder, top].map(dir => path.join(dir, 'node_modules/@types')).filter(dir => existsSync(dir));
  return {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2024', 'esnext.disposable'],
      // Node finds out by itself that a file is a module; the compiler would ask for a package.json that says so.
      module: 'esnext',
      moduleResolution: 'bundler',
      moduleDetection: 'force',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      verbatimModuleSyntax: true,
      isolatedModules: true,
      // Node takes types out and does nothing else to a file.
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      typeRoots,
      types: typeRoots.some(dir => existsSync(path.join(dir, 'node'))) ? ['node'] : [],
      paths: Object.fromEntries(Object.entries(types).map(([name, file]) => [name, [file]])),
    },
    files: [entry],
  };
}

function run(compiler: string, project: string, folder: string): Promise<string> {
  const options = { timeout: COMPILE_MAX_MS, maxBuffer: OUTPUT_MAX_BYTES, cwd: folder } as const;
  return new Promise(resolve => {
    execFile(compiler, ['-p', project, '--pretty', 'false'], options, (error, stdout, stderr) => {
      const said = `${stdout}${stderr}`;
      resolve(error !== null && said.trim() === '' ? `${compiler}: ${error.message}` : said);
    });
  });
}
