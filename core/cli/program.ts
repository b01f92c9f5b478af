import { Argument, Command, CommanderError, Option } from 'commander';
import os from 'node:os';
import { UsherdError } from '../errors.ts';
import { systemRoot } from '../kernel/system-root.ts';
import { GLOBAL_OPTIONS, rootOptionsOf } from './global-options.ts';
import type { Caller, OptionSpec, OptionValues, Verb } from './verb.ts';
import { VERSION } from '../version.ts';

/** The process a command line runs in. */
export type Host = Pick<Caller, 'stdout' | 'stderr' | 'env' | 'uid' | 'signal'>;

/**
 * Words after the command's name → exit status. Parses, runs one verb, and turns an UsherdError into a message that says what was
 * found, what was wanted, and what to do.
 */
export async function runProgram(words: readonly string[], verbs: readonly Verb[], host: Host): Promise<number> {
  let status = 0;
  const program = buildProgram(verbs, host, exitStatus => {
    status = exitStatus;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, words.includes('--json'), host);
  }
}

/** The commander program of these verbs; `ended` gets a verb's exit status. */
export function buildProgram(verbs: readonly Verb[], host: Host, ended: (status: number) => void): Command {
  const program = new Command('usher')
    .description('Shows every device to its driver, decides by policy, and keeps the record.')
    .version(`usherd ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ writeOut: text => host.stdout.write(text), writeErr: text => host.stderr.write(text) })
    .exitOverride()
    .showHelpAfterError('(usher --help lists the verbs, usher VERB --help its options)');
  for (const verb of verbs) program.addCommand(buildCommand(verb, verbs, host, ended));
  return program;
}

function buildCommand(verb: Verb, verbs: readonly Verb[], host: Host, ended: (status: number) => void): Command {
  const command = new Command(verb.name)
    .summary(verb.summary)
    .description(verb.description.join('\n\n'))
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ writeOut: text => host.stdout.write(text), writeErr: text => host.stderr.write(text) })
    .exitOverride();
  for (const { name, description, isRequired, isVariadic } of verb.arguments) {
    const dots = isVariadic === true ? '...' : '';
    command.addArgument(new Argument(isRequired === true ? `<${name}${dots}>` : `[${name}${dots}]`, description));
  }
  for (const spec of verb.options) command.addOption(buildOption(spec));
  for (const spec of GLOBAL_OPTIONS) command.addOption(buildOption(spec).helpGroup('Everywhere:'));
  const examples = verb.examples.map(({ command: line, does }) => `  ${line}\n      ${does}`);
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  command.action(async (...given: unknown[]) => {
    const values: OptionValues = command.opts();
    const args = given
      .slice(0, -2)
      .flatMap(value => (Array.isArray(value) ? value : value === undefined ? [] : [value]));
    ended(await verb.run(args.map(String), values, callerOf(values, verbs, host)));
  });
  return command;
}

function buildOption({ flags, description, choices, isRepeatable }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices(choices);
  if (isRepeatable === true) option.argParser<string[]>((value, before) => [...(before ?? []), value]);
  return option;
}

function callerOf(values: OptionValues, verbs: readonly Verb[], host: Host): Caller {
  const kernel = values['kernel'];
  return {
    ...host,
    roots: systemRoot(rootOptionsOf(values), host),
    release: typeof kernel === 'string' ? kernel : undefined,
    isJson: values['json'] === true,
    verbs,
  };
}

function reportError(error: unknown, isJson: boolean, { stderr, stdout }: Host): number {
  if (!(error instanceof UsherdError)) throw error;
  const { code, message, hint, details } = error;
  if (isJson) stdout.write(`${JSON.stringify({ error: { code, message, hint, details } }, jsonValue)}\n`);
  else stderr.write(`usher: ${message}\n  ${hint}\n`);
  return error.exitStatus;
}

/** JSON has no bigint; seqnums are printed as text, as in recordings. */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** The running kernel's release. */
export function runningRelease(): string {
  return os.release();
}
