import {
  BUILTINS,
  KEYS,
  LINE_MAX_BYTES,
  OPERATORS,
  OPERATOR_MEANINGS,
  RULE_OPTIONS,
  SUBSTITUTIONS,
  type KeySpec,
  type SubstitutionSpec,
} from '../../pipeline/4-policy/rules/language.ts';

/** The rule language on one page, in Markdown, from the tables its parser goes by. */
export function rulesPage(): string {
  const keys: readonly KeySpec[] = KEYS;
  const substitutions: readonly SubstitutionSpec[] = SUBSTITUTIONS;
  return `${[
    '# Rules',
    "Files `NAME.rules` in udev's language (udev(7)), with keys of usherd's own. A file that uses none of those is a plain udev rule file.",
    "They are read from `rules.d` in usherd's configuration folders (`/etc/usherd`, `/run/usherd`, `/usr/local/lib/usherd`, `/usr/lib/usherd`) and from the folders of `rules_dirs` in usherd.toml(5). All are read in order of their names; of two with one name that in the strongest folder counts, and a link to /dev/null takes one out.",
    '`usher rules check` says what is wrong with them, `usher rules test DEVICE` what they say of a device and why.',
    '## Here',
    table(
      ['file', 'what it does'],
      [
        ['`80-drivers.rules`', 'drivers for devices without a MODALIAS'],
        ['`60-rare-protocols.rules`', 'denies or holds protocols hardly anybody uses; off, one line turns it on'],
        ['`60-rare-filesystems.rules`', 'holds file systems hardly anybody uses; off, one line turns it on'],
        ['`examples/buses.rules`', 'one example for each bus, all commented out'],
      ],
    ),
    '## A rule',
    'One line: `KEY{attribute}OPERATOR"value"`, separated by commas. When all that matches does, all that assigns is done. A backslash at the end goes on with the next line; `#` begins a comment line. ' +
      `A line has at most ${LINE_MAX_BYTES} bytes. In a value \`\\"\` is a quote; \`e"…"\` knows the escapes of C, \`i"…"\` matches upper and lower case alike.`,
    'Patterns are those of the shell: `*`, `?`, `[a-z]`, `[!x]`, and `|` between alternatives.',
    table(
      ['operator', 'meaning'],
      OPERATORS.map(operator => [`\`${operator}\``, OPERATOR_MEANINGS[operator]]),
    ),
    '## Keys',
    "All climbing keys of a rule have to hold on one device: the event's own, or one above it.",
    keyTable(keys.filter(({ isOurs }) => isOurs !== true)),
    '## Keys of usherd',
    'They are about the module in question: all rules are gone through once for each module that is to be loaded, dependencies included. The last VERDICT counts, `:=` closes it. `deny` beats `hold` beats `MODULE=` beats `allow` among all who have an opinion, other rules aside. Where no device asks (ORIGIN `request`, `administrator`), keys of devices do not match, nor do their contraries.',
    keyTable(keys.filter(({ isOurs }) => isOurs === true)),
    '## Substitutions',
    'In values that are assigned, in PROGRAM, IMPORT, RUN, TEST and in attributes of ATTR. `$$` and `%%` are the signs themselves.',
    table(
      ['name', 'letter', 'meaning'],
      substitutions.map(({ name, letter, attribute, meaning }) => {
        const braces = attribute === 'none' ? '' : attribute === 'required' ? '{…}' : '[{…}]';
        return [`\`$${name}${braces}\``, letter === undefined ? '' : `\`%${letter}${braces}\``, meaning];
      }),
    ),
    '## OPTIONS',
    table(
      ['option', 'meaning'],
      RULE_OPTIONS.map(({ name, value, meaning }) => [
        `\`${name}${value === undefined ? '' : `=`}\`${value === undefined ? '' : ` ${value}`}`,
        meaning,
      ]),
    ),
    '## Builtins',
    table(
      ['name', 'provided', 'meaning'],
      BUILTINS.map(({ name, isProvided, meaning }) => [
        `\`${name}\``,
        isProvided ? 'yes' : 'no: counts as failed',
        meaning,
      ]),
    ),
    '## What is done',
    "VERDICT, MODULE= and OPTIONS{module} always count. DRIVER_OVERRIDE, and ATTR, SYSCTL and RUN of usherd's own folders, are carried out by a daemon that loads. Names of interfaces, links, permissions and labels of nodes, watches, and what rules of other folders want to be done, only with `manage_dev = true`, for systems without udevd: two managers of one /dev undo each other.",
    "PROGRAM, IMPORT{program} and RUN are run without a shell, with the device's properties as their whole environment, in a process group of their own, which is killed whole after three minutes. A program named without a path is looked for in /lib/udev.",
    'A rule with an error is left out. A set of rules with an error in it never takes the place of one that counts already; the ledger has its hash, what was added and taken out (`usher history --incidents`).',
  ].join('\n\n')}\n`;
}

function keyTable(keys: readonly KeySpec[]): string {
  const rows = keys.map(({ name, attribute, matches, assigns, runs, climbs, meaning }) => {
    const what =
      attribute === undefined ? '' : attribute.choices === undefined ? attribute.what : attribute.choices.join(', ');
    const braces = attribute === undefined ? '' : attribute.isRequired ? `{${what}}` : `[{${what}}]`;
    const operators = [...(matches ? ['==', '!='] : []), ...(runs === true ? ['=', '+=', ':='] : assigns)];
    const joined = operators.map(operator => `\`${operator}\``).join(' ');
    return [`\`${name}${braces}\``, joined, climbs === true ? `${meaning} (climbs)` : meaning];
  });
  return table(['key', 'operators', 'meaning'], rows);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}
