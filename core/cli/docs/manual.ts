import { ERRORS } from '../../errors.ts';
import { SETTINGS, DEFAULT_SETTINGS } from '../../daemon/settings.ts';
import { VERSION } from '../../version.ts';
import { GLOBAL_OPTIONS } from '../global-options.ts';
import type { ArgumentSpec, Verb } from '../verb.ts';
import { RoffPage } from './roff.ts';

/** usher(1): every verb, from the values that parse them. */
export function usherPage(verbs: readonly Verb[]): string {
  const page = new RoffPage('usher', 1, VERSION)
    .section('Name')
    .paragraph('usher - show devices to their drivers, explain what happened, read the record')
    .section('Synopsis')
    .paragraph('usher VERB [options] [arguments]')
    .section('Description')
    .paragraph(
      'usher is the command of usherd(8). It runs the daemon, asks it, and answers by itself what needs no daemon: what would drive a device and why, what the history says, what a recording would have led to.',
    )
    .section('Verbs');
  for (const verb of verbs) describeVerb(page, verb);
  page.section('Options of every verb');
  for (const { flags, description } of GLOBAL_OPTIONS) page.item(flags, sentence(description));
  page.section('Exit status').item('0', 'It did what was asked.');
  for (const [status, texts] of statusTable()) page.item(String(status), texts.map(sentence).join(' '));
  return page.section('See also').paragraph('usherd(8), usherd.toml(5), modprobe.d(5), udev(7)').toString();
}

/** usherd(8): the daemon. */
export function usherdPage(daemon: Verb): string {
  const page = new RoffPage('usherd', 8, VERSION)
    .section('Name')
    .paragraph('usherd - hotplug daemon that loads drivers, decides by policy and keeps the record')
    .section('Synopsis')
    .paragraph('usher daemon [options]')
    .section('Description');
  for (const text of daemon.description) page.paragraph(text);
  page.section('Options');
  for (const { flags, description } of daemon.options) page.item(flags, sentence(description));
  return page
    .section('Signals')
    .item(
      'SIGHUP',
      'Read the configuration and the module tree again. They are also read again by themselves when they change.',
    )
    .item('SIGTERM, SIGINT', 'Finish what is being loaded, write the record, close and exit with 0.')
    .section('Environment')
    .item(
      'NOTIFY_SOCKET, WATCHDOG_USEC',
      'Set by systemd: readiness, status and the watchdog are reported as sd_notify(3) describes.',
    )
    .item(
      'NODE_EXTRA_CA_CERTS',
      'Where it is exported, every start of Node takes some 30 ms longer. usherd does not use it.',
    )
    .section('Files')
    .item('/etc/usherd/usherd.toml', 'Configuration, see usherd.toml(5).')
    .item('/var/lib/usherd/ledger.sqlite', 'The record. Read it with usher history and usher why.')
    .item(
      '/var/lib/usherd/ledger.sqlite-kept',
      'What decisions rest on until it stands in the record. It belongs to the record and is copied with it; after a clean end it is empty.',
    )
    .item('/run/usherd/socket', 'Where usher asks the daemon.')
    .section('See also')
    .paragraph('usher(1), usherd.toml(5), systemd-udevd.service(8), modprobe(8)')
    .toString();
}

/** usherd.toml(5): every setting, from the table that reads them. */
export function settingsPage(): string {
  const page = new RoffPage('usherd.toml', 5, VERSION)
    .section('Name')
    .paragraph('usherd.toml - configuration of usherd')
    .section('Description')
    .paragraph(
      'TOML. The first usherd.toml found in /etc/usherd, /run/usherd, /usr/local/lib/usherd, /usr/lib/usherd and /lib/usherd is read, then every usherd.toml.d/*.toml of these folders in the order of their names; of two with one name only that of the earlier folder counts. A later file beats an earlier one.',
    )
    .paragraph(
      'A setting that cannot be used is reported with its file and line, recorded in the history, and left at its default: usherd starts all the same.',
    )
    .section('Settings');
  for (const { key, field, wanted, description } of SETTINGS) {
    page.item(key, `${description} Wanted: ${wanted}. Default: ${JSON.stringify(DEFAULT_SETTINGS[field])}.`);
  }
  return page.section('See also').paragraph('usherd(8), modprobe.d(5)').toString();
}

/** The error table as Markdown. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { sentence: text, hint, exitStatus }]) => `| ${code} | ${exitStatus} | ${text} | ${hint} |`,
  );
  return [
    '# Errors',
    '',
    '| code | exit status | what it says | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function describeVerb(page: RoffPage, verb: Verb): void {
  page.subsection([`usher ${verb.name}`, ...verb.arguments.map(synopsisOf)].join(' '));
  page.paragraph(sentence(verb.summary));
  for (const text of verb.description) page.paragraph(text);
  for (const { name, description } of verb.arguments) page.item(name.toUpperCase(), sentence(description));
  for (const { flags, description, choices } of verb.options) {
    page.item(flags, sentence(choices === undefined ? description : `${description}; one of ${choices.join(', ')}`));
  }
  for (const { command, does } of verb.examples) page.literal([`  ${command}`]).paragraph(does);
}

function synopsisOf({ name, isRequired, isVariadic }: ArgumentSpec): string {
  const word = `${name.toUpperCase()}${isVariadic === true ? '...' : ''}`;
  return isRequired === true ? word : `[${word}]`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!)]$/.test(first) ? first : `${first}.`;
}

function statusTable(): readonly (readonly [number, readonly string[]])[] {
  const byStatus = new Map<number, string[]>();
  for (const { exitStatus, sentence: text } of Object.values(ERRORS))
    byStatus.set(exitStatus, [...(byStatus.get(exitStatus) ?? []), text]);
  return [...byStatus].toSorted(([a], [b]) => a - b);
}
