import { Argument, Command, CommanderError, Option } from 'commander';
import { callVerb, type Host } from './call-verb.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import type { OptionSpec, OptionValues, Verb } from './verb.ts';
import { VERSION } from '../version.ts';

/**
 * Words after the command's name → exit status. The full parser: it has --help, and says what is wrong with a command line, or it
 * runs one verb.
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
    throw error;
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
    .enablePositionalOptions()
    .showHelpAfterError('(usher --help lists the verbs, usher VERB --help its options)');
  for (const verb of verbs) parentOf(verb, program).addCommand(buildCommand(verb, verbs, host, ended));
  return program;
}

/** `history verify` hangs below `history`, which takes the options before that word for itself and leaves those after it alone. */
function parentOf({ name }: Verb, program: Command): Command {
  const above = name.includes(' ')
    ? program.commands.find(command => command.name() === name.split(' ')[0])
    : undefined;
  return above?.enablePositionalOptions() ?? program;
}

function buildCommand(verb: Verb, verbs: readonly Verb[], host: Host, ended: (status: number) => void): Command {
  const command = new Command(verb.name.split(' ').at(-1))
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
    ended(await callVerb(verb, { args: args.map(String), values }, verbs, host));
  });
  return command;
}

function buildOption({ flags, description, choices, isRepeatable }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices(choices);
  if (isRepeatable === true) option.argParser<string[]>((value, before) => [...(before ?? []), value]);
  return option;
}
