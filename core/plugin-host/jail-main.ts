/**
 * What runs in a plugin's jail: reads lines from descriptor 3, loads the plugin it is told to, calls its hooks, and writes what they
 * answer. It is a process of its own (usher-jail) and has nothing but that descriptor.
 */
import { registerHooks } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { LineReader } from '../ipc/line-reader.ts';
import type { PluginContext } from '../plugin-api/context.ts';
import { JAIL_LINE_MAX_BYTES, type FromJail, type Service, type ToJail } from './jail-messages.ts';
import { messageOf, startDefinition, type StartedDefinition, type Surroundings } from './start-definition.ts';

/** What a plugin may import by name, and the file beside this one that it is. */
const SHARED: Readonly<Record<string, string>> = { 'usherd/plugin': 'plugin.mjs', 'usherd/schema': 'schema.mjs' };

const channel = new net.Socket({ fd: 3, readable: true, writable: true });
const lines = new LineReader(JAIL_LINE_MAX_BYTES);
const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
let started: StartedDefinition | undefined;
let lastAsked = 0;

registerHooks({
  resolve: (specifier, context, next) => {
    const file = SHARED[specifier];
    if (file === undefined) return next(specifier, context);
    return { url: pathToFileURL(path.join(import.meta.dirname, file)).href, shortCircuit: true };
  },
});
channel.on('data', (bytes: Buffer) => {
  const complete = lines.push(bytes);
  if (complete !== 'too-long') for (const line of complete) void take(JSON.parse(line) as ToJail);
});
channel.on('close', () => process.exit(0));

function send(message: FromJail): void {
  channel.write(`${JSON.stringify(message)}\n`);
}

async function take(message: ToJail): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(message);
    case 'call':
      return call(message);
    case 'answer': {
      const waiting = asked.get(message.id);
      asked.delete(message.id);
      if (message.error === undefined) waiting?.resolve(message.value);
      else waiting?.reject(new Error(message.error));
      return;
    }
    case 'stop':
      try {
        await started?.stop(message.reason);
      } catch (error) {
        send({ kind: 'log', level: 'error', message: `what it does before it ends failed: ${messageOf(error)}` });
      }
      send({ kind: 'stopped' });
  }
}

async function start({ file, settings }: Extract<ToJail, { kind: 'start' }>): Promise<void> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    const made = await startDefinition(module.default, settings, surroundings);
    if ('wrong' in made) send({ kind: 'not-started', wrong: made.wrong });
    else {
      started = made;
      send({ kind: 'started', facts: made.facts, hooks: made.hooks });
    }
  } catch (error) {
    send({ kind: 'not-started', wrong: `it cannot be loaded: ${messageOf(error)}` });
  }
}

async function call({ id, hook, args }: Extract<ToJail, { kind: 'call' }>): Promise<void> {
  const signal = AbortSignal.timeout(started?.hooks[hook]?.deadlineMs ?? 0);
  try {
    send({ kind: 'result', id, value: await started?.call(hook, args, signal) });
  } catch (error) {
    send({ kind: 'result', id, error: messageOf(error) });
  }
}

function ask(service: Service, ...args: readonly unknown[]): Promise<unknown> {
  const id = ++lastAsked;
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject });
    send({ kind: 'ask', id, service, args });
  });
}

const log = (level: 'info' | 'warn' | 'error') => (message: string) => send({ kind: 'log', level, message });

const surroundings: Surroundings = {
  log: { info: log('info'), warn: log('warn'), error: log('error') },
  store: {
    get: key => ask('store.get', key) as ReturnType<PluginContext<unknown>['store']['get']>,
    set: (key, value) => ask('store.set', key, value) as Promise<void>,
    delete: key => ask('store.delete', key) as Promise<void>,
    keys: () => ask('store.keys') as Promise<readonly string[]>,
  },
  actions: {
    overrideDriver: (devpath, driver) => ask('actions.overrideDriver', devpath, driver ?? null) as Promise<void>,
    unload: module => ask('actions.unload', module) as ReturnType<PluginContext<unknown>['actions']['unload']>,
    findDrivers: modalias =>
      ask('actions.findDrivers', modalias) as ReturnType<PluginContext<unknown>['actions']['findDrivers']>,
  },
  devices: query => ask('devices', query ?? {}) as ReturnType<PluginContext<unknown>['devices']>,
};
