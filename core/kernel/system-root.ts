import path from 'node:path';

/** The single roots a user can name; each beats what `root` would make of it. */
export interface RootOptions {
  /** A folder that stands for `/`: a fixture, a chroot, another system's disk. */
  readonly root?: string | undefined;
  readonly sysRoot?: string | undefined;
  readonly procRoot?: string | undefined;
  readonly devRoot?: string | undefined;
  /** One release's folder, or the folder above it. */
  readonly modulesRoot?: string | undefined;
  /** Stands for the folder above modprobe.d, usherd and friends: `/etc`. */
  readonly configRoot?: string | undefined;
  /** Where the ledger, decisions and caches live. */
  readonly stateDir?: string | undefined;
}

/** Every absolute path usherd reads or writes, in one value. Nothing else in the project names one. */
export interface SystemRoot {
  /** `/` on the running system. */
  readonly root: string;
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
  readonly run: string;
  /** Folders that may hold the release's folder, first that exists wins; or the release's folder itself. */
  readonly modulesRoots: readonly string[];
  /** Whether the modules come from where the running kernel's do. */
  readonly modulesAreNamed: boolean;
  /** modprobe.d folders, strongest first. Source: modprobe.d(5). */
  readonly modprobeDirs: readonly string[];
  /** depmod.d folders, strongest first. Source: depmod.d(5). */
  readonly depmodDirs: readonly string[];
  /** usherd's own configuration folders, strongest first. */
  readonly configDirs: readonly string[];
  readonly stateDir: string;
  /**
   * Where a daemon may listen, the caller's own first: beside the ledger when a state folder was named, so that two can run; else
   * in the run folder, where a user also finds the system's.
   */
  readonly sockets: readonly [own: string, ...others: readonly string[]];
  /** True when this is the machine usherd runs on, so that acting on it makes sense. */
  readonly isRunningSystem: boolean;
}

const CONFIG_FOLDERS = ['etc', 'run', 'usr/local/lib', 'usr/lib', 'lib'] as const;

/**
 * Options and environment → every path. `env` and `uid` are given, not looked up, so that a test can be anybody.
 * The state folder is /var/lib/usherd for root on the running system, else $XDG_STATE_HOME/usherd (~/.local/state/usherd);
 * below a fixture root it is that root's var/lib/usherd.
 */
export function systemRoot(
  options: RootOptions,
  { env, uid }: { env: Readonly<Record<string, string | undefined>>; uid: number },
): SystemRoot {
  const root = options.root === undefined ? '/' : path.resolve(options.root);
  const above = root === '/' ? '' : root;
  const at = (place: string): string => `${above}/${place}`;
  const isShifted = root !== '/';
  const configDirs = (name: string): string[] =>
    options.configRoot === undefined
      ? CONFIG_FOLDERS.map(folder => at(`${folder}/${name}`))
      : [path.join(path.resolve(options.configRoot), name)];
  return {
    root,
    sys: named(options.sysRoot) ?? at('sys'),
    proc: named(options.procRoot) ?? at('proc'),
    dev: named(options.devRoot) ?? at('dev'),
    run: at('run'),
    modulesRoots:
      options.modulesRoot === undefined
        ? [at('lib/modules'), at('usr/lib/modules')]
        : [path.resolve(options.modulesRoot)],
    modulesAreNamed: options.modulesRoot !== undefined,
    modprobeDirs: configDirs('modprobe.d'),
    depmodDirs: configDirs('depmod.d'),
    configDirs: configDirs('usherd'),
    stateDir: named(options.stateDir) ?? defaultStateDir({ at, isShifted, env, uid }),
    sockets: socketPlaces(options.stateDir, at('run/usherd/socket'), { isShifted, env, uid }),
    isRunningSystem: !isShifted && options.sysRoot === undefined && options.procRoot === undefined,
  };
}

function named(folder: string | undefined): string | undefined {
  return folder === undefined ? undefined : path.resolve(folder);
}

function defaultStateDir({
  at,
  isShifted,
  env,
  uid,
}: {
  at: (place: string) => string;
  isShifted: boolean;
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
}): string {
  if (isShifted || uid === 0) return at('var/lib/usherd');
  const stateHome = env['XDG_STATE_HOME'] ?? path.join(env['HOME'] ?? '/tmp', '.local/state');
  return path.resolve(stateHome, 'usherd');
}

function socketPlaces(
  stateDir: string | undefined,
  system: string,
  { isShifted, env, uid }: { isShifted: boolean; env: Readonly<Record<string, string | undefined>>; uid: number },
): SystemRoot['sockets'] {
  if (stateDir !== undefined) return [path.resolve(stateDir, 'socket')];
  if (isShifted || uid === 0) return [system];
  return [path.join(env['XDG_RUNTIME_DIR'] ?? '/tmp', `usherd-${uid}`, 'socket'), system];
}
