import { GLOBAL_OPTIONS } from '../global-options.ts';
import type { OptionSpec, ValueKind, Verb } from '../verb.ts';

/**
 * Verbs → static completion files. Values come from the system by plain shell (module names from modules.dep, devices from
 * /sys), so that a press of TAB never starts Node.
 */
export function bashCompletion(verbs: readonly Verb[]): string {
  const cases = verbs.map(verb => {
    const words = optionsOf(verb).flatMap(spec => longAndShort(spec));
    return [
      `    ${shellWord(verb.name)})`,
      ...valueCases(verb, (spec, values) => `        ${longAndShort(spec).join('|')}) ${values}; return ;;`),
      `      case $cur in`,
      `        -*) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")) ;;`,
      `        *) ${bashArgument(verb, verbs)} ;;`,
      '      esac ;;',
    ].join('\n');
  });
  return `# bash completion of usher; made by \`usher docs bash\`.
${SHELL_LISTS}
_usher() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  [ "$COMP_CWORD" -gt 2 ] && case "$verb \${COMP_WORDS[2]}" in ${lowerNames(verbs)}) verb="$verb \${COMP_WORDS[2]}" ;; esac
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${upper(verbs)
      .map(verb => verb.name)
      .join(' ')} --help --version' -- "$cur"))
    return
  fi
  case $verb in
${cases.join('\n')}
  esac
}
complete -F _usher usher
`;

  function valueCases(verb: Verb, line: (spec: OptionSpec, values: string) => string): readonly string[] {
    const lines = optionsOf(verb)
      .filter(spec => takesValue(spec))
      .map(spec => line(spec, spec.choices === undefined ? bashValues(spec.completes) : bashWords(spec.choices)));
    return lines.length === 0 ? [] : ['      case $prev in', ...lines, '      esac'];
  }
}

/** Completion for zsh. */
export function zshCompletion(verbs: readonly Verb[]): string {
  const cases = verbs.map(verb => {
    const specs = optionsOf(verb).flatMap(spec => zshOption(spec));
    const argument = verb.arguments[0];
    const below = lower(verb, verbs);
    if (below.length > 0) specs.push(`'1:question:(${below.join(' ')})'`);
    if (argument !== undefined) specs.push(`'*:${argument.name}:${zshValues(argument.completes)}'`);
    return `    ${shellWord(verb.name)}) _arguments -s ${specs.join(' ')} ;;`;
  });
  return `#compdef usher
# zsh completion of usher; made by \`usher docs zsh\`.
${SHELL_LISTS}
_usher() {
  if (( CURRENT == 2 )); then
    local -a verbs=(${upper(verbs)
      .map(verb => `'${verb.name}:${zshText(verb.summary)}'`)
      .join(' ')})
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words; (( CURRENT-- ))
  (( CURRENT > 2 )) && case "$verb $words[2]" in ${lowerNames(verbs)}) verb="$verb $words[2]"; shift words; (( CURRENT-- )) ;; esac
  case $verb in
${cases.join('\n')}
  esac
}
_usher "$@"
`;
}

/** Completion for fish. */
export function fishCompletion(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap(verb => [
    verb.name.includes(' ')
      ? `complete -c usher -n '${fishSeen(verb.name.split(' ')[0] ?? '')}' -f -a ${verb.name.split(' ')[1] ?? ''} -d '${zshText(verb.summary)}' # ${verb.name}`
      : `complete -c usher -n __fish_use_subcommand -f -a ${verb.name} -d '${zshText(verb.summary)}'`,
    ...optionsOf(verb).map(spec => fishOption(verb, spec)),
    ...(verb.arguments[0]?.completes === undefined
      ? []
      : [`complete -c usher -n '${fishSeen(verb.name)}' ${fishValues(verb.arguments[0].completes)}`]),
  ]);
  return `# fish completion of usher; made by \`usher docs fish\`.
function __usher_modules; command sed -n 's|^.*/\\([^/]*\\)\\.ko[.a-z]*:.*|\\1|p' /lib/modules/(uname -r)/modules.dep 2>/dev/null; end
function __usher_devices; command find /sys/devices -name uevent -printf '/%P\\n' 2>/dev/null | command sed 's|^|/devices|; s|/uevent$||'; end
function __usher_subsystems; command ls /sys/class /sys/bus 2>/dev/null | command grep -v :; end
${lines.join('\n')}
`;
}

const SHELL_LISTS = `_usher_modules() { sed -n 's|^.*/\\([^/]*\\)\\.ko[.a-z]*:.*|\\1|p' "/lib/modules/$(uname -r)/modules.dep" 2>/dev/null; }
_usher_devices() { find /sys/devices -name uevent -printf '/%P\\n' 2>/dev/null | sed 's|^|/devices|; s|/uevent$||'; }
_usher_subsystems() { ls /sys/class /sys/bus 2>/dev/null | grep -v :; }`;

/** Verbs of one word. */
function upper(verbs: readonly Verb[]): readonly Verb[] {
  return verbs.filter(({ name }) => !name.includes(' '));
}

/** Second words of the verbs below this one: `verify` below `history`. */
function lower({ name }: Verb, verbs: readonly Verb[]): readonly string[] {
  return verbs.filter(verb => verb.name.startsWith(`${name} `)).map(verb => verb.name.slice(name.length + 1));
}

/** Verbs of two words, as a pattern of a shell's case. */
function lowerNames(verbs: readonly Verb[]): string {
  return verbs
    .filter(({ name }) => name.includes(' '))
    .map(({ name }) => shellWord(name))
    .join('|');
}

function shellWord(name: string): string {
  return name.includes(' ') ? `'${name}'` : name;
}

function fishSeen(name: string): string {
  return name
    .split(' ')
    .map(word => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
}

function bashArgument(verb: Verb, verbs: readonly Verb[]): string {
  const below = lower(verb, verbs);
  return below.length > 0 ? bashWords(below) : bashValues(verb.arguments[0]?.completes);
}

function optionsOf(verb: Verb): readonly OptionSpec[] {
  return [...verb.options, ...GLOBAL_OPTIONS, { flags: '-h, --help', description: 'print this help' }];
}

function longAndShort({ flags }: OptionSpec): readonly string[] {
  return flags.split(/[ ,]+/).filter(word => word.startsWith('-'));
}

function takesValue({ flags }: OptionSpec): boolean {
  return flags.includes('<');
}

function bashWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
}

function bashValues(kind: ValueKind | undefined): string {
  switch (kind) {
    case 'module':
      return 'COMPREPLY=($(compgen -W "$(_usher_modules)" -- "$cur"))';
    case 'device':
      return 'COMPREPLY=($(compgen -W "$(_usher_devices)" -- "$cur"))';
    case 'subsystem':
      return 'COMPREPLY=($(compgen -W "$(_usher_subsystems)" -- "$cur"))';
    case 'file':
      return 'COMPREPLY=($(compgen -f -- "$cur"))';
    case 'directory':
      return 'COMPREPLY=($(compgen -d -- "$cur"))';
    default:
      return ':';
  }
}

function zshOption(spec: OptionSpec): readonly string[] {
  const value = !takesValue(spec)
    ? ''
    : `:value:${spec.choices === undefined ? zshValues(spec.completes) : `(${spec.choices.join(' ')})`}`;
  return longAndShort(spec).map(
    flag => `'${spec.isRepeatable === true ? '*' : ''}${flag}[${zshText(spec.description)}]${value}'`,
  );
}

function zshValues(kind: ValueKind | undefined): string {
  const lists = { module: '_usher_modules', device: '_usher_devices', subsystem: '_usher_subsystems' } as const;
  if (kind === 'file') return '_files';
  if (kind === 'directory') return '_files -/';
  return kind === undefined || kind === 'text' ? ' ' : `{compadd -- $(${lists[kind]})}`;
}

function zshText(text: string): string {
  return text.replaceAll("'", '’').replaceAll(':', ';').replaceAll('[', '(').replaceAll(']', ')');
}

function fishOption(verb: Verb, spec: OptionSpec): string {
  const flags = longAndShort(spec).map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = !takesValue(spec)
    ? ''
    : spec.choices === undefined
      ? ` -r ${fishValues(spec.completes)}`
      : ` -x -a '${spec.choices.join(' ')}'`;
  return `complete -c usher -n '${fishSeen(verb.name)}' ${flags.join(' ')}${value} -d '${zshText(spec.description)}'`;
}

function fishValues(kind: ValueKind | undefined): string {
  switch (kind) {
    case 'module':
    case 'device':
    case 'subsystem':
      return `-f -a '(__usher_${kind}s)'`;
    case 'directory':
      return "-f -a '(__fish_complete_directories)'";
    case 'file':
      return '-F';
    default:
      return '-f';
  }
}
