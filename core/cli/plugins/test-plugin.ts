import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { replayRecording } from '../../daemon/replay.ts';
import { UsherdError } from '../../errors.ts';
import { systemRoot } from '../../kernel/system-root.ts';
import { formatCount } from '../../pipeline/8-report/quantity.ts';
import { span } from '../../pipeline/8-report/terminal.ts';
import { formatProblem } from '../../vocabulary/place.ts';
import { isSet } from '../option-values.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller, OptionValues } from '../verb.ts';
import { diffOpinions, readExpected, writeExpected, type ExpectedOpinion } from './expected-opinions.ts';
import { findAuthored, openTrialFolder, whyUntrusted, type AuthoredPlugin } from './trial-folder.ts';

const RECORDING = /\.uevents$/;

/** What became of one recording. */
interface Tested {
  readonly recording: string;
  readonly result: 'passed' | 'differs' | 'updated' | 'failed';
  readonly opinions: readonly ExpectedOpinion[];
  readonly difference: readonly string[];
  /** What usherd said of the plugin meanwhile: that it could not be started, that a call failed. */
  readonly complaints: readonly string[];
}

/**
 * Plays each recording of a plugin's test folder with the plugin in its jail, and compares what it says with what it must say. 1 when
 * something differs. @throws {UsherdError} NOT_FOUND, FILE_UNREADABLE, RECORDING_DAMAGED, PLUGIN_TEST_DAMAGED
 */
export async function testPlugin(dir: string | undefined, options: OptionValues, caller: Caller): Promise<number> {
  const plugin = findAuthored(dir ?? '.');
  const tests = path.join(plugin.folder, 'test');
  const recordings = existsSync(tests)
    ? readdirSync(tests)
        .filter(name => RECORDING.test(name))
        .toSorted()
    : [];
  if (recordings.length === 0)
    throw new UsherdError('NOT_FOUND', `${tests}: there is no recording (*.uevents) in it`, { tests });
  let isGood = true;
  for (const recording of recordings) {
    const tested = await testRecording(plugin, path.join(tests, recording), isSet(options, 'update'), caller);
    isGood &&= tested.result === 'passed' || tested.result === 'updated';
    print(tested, caller);
  }
  return isGood ? 0 : 1;
}

async function testRecording(plugin: AuthoredPlugin, file: string, updates: boolean, caller: Caller): Promise<Tested> {
  const recording = path.basename(file);
  const expectedFile = file.replace(RECORDING, '.expected.toml');
  const complaints: string[] = [];
  const untrusted = whyUntrusted(plugin, caller.uid);
  if (untrusted !== undefined)
    return { recording, opinions: [], result: 'failed', difference: [], complaints: [untrusted] };
  const opinions = await opinionsOn(plugin, file, message => void complaints.push(message), caller);
  const basis = { recording, opinions, complaints };
  // What was said in part, or by nobody, is nothing to go by.
  if (complaints.length > 0) return { ...basis, result: 'failed', difference: [] };
  if (updates) {
    writeFileSync(expectedFile, writeExpected(recording, opinions));
    return { ...basis, result: 'updated', difference: [] };
  }
  const wanted = readExpected(expectedFile);
  if (wanted === undefined) {
    const complaint = `${path.basename(expectedFile)} is not there: usher plugin test --update writes what the plugin says now`;
    return { ...basis, result: 'failed', difference: diffOpinions([], opinions), complaints: [complaint] };
  }
  const difference = diffOpinions(wanted, opinions);
  return { ...basis, result: difference.length === 0 ? 'passed' : 'differs', difference };
}

/** Plays a recording on the modules of test/root; without that folder, on those of this machine. */
async function opinionsOn(
  plugin: AuthoredPlugin,
  file: string,
  notice: (message: string) => void,
  caller: Caller,
): Promise<readonly ExpectedOpinion[]> {
  using folder = openTrialFolder(plugin, settingsText(plugin, file));
  const made = path.join(path.dirname(file), 'root');
  const roots = existsSync(made) ? systemRoot({ root: made }, { env: {}, uid: caller.uid }) : caller.roots;
  const { entries, problems } = await replayRecording(file, {
    roots: { ...roots, configDirs: [folder.configDir], stateDir: folder.stateDir },
    release: caller.release,
    isPaced: false,
    signal: caller.signal,
    notice,
  });
  for (const problem of problems) notice(formatProblem(problem));
  const by = `plugin ${plugin.name}`;
  return entries.flatMap(({ deliberation }) =>
    (deliberation?.decisions ?? []).flatMap(({ module, opinions }) =>
      opinions
        .filter(opinion => opinion.by === by)
        .map(({ verdict, replacement, reason }) => ({
          device: deliberation?.device.devpath ?? '',
          module,
          verdict,
          ...(replacement === undefined ? {} : { replacement }),
          reason,
        })),
    ),
  );
}

/** The recording's own settings, else the plugin's; the first that is there. */
function settingsText({ folder, name }: AuthoredPlugin, recording: string): string | undefined {
  const file = [recording.replace(RECORDING, '.toml'), path.join(folder, `${name}.toml`)].find(place =>
    existsSync(place),
  );
  return file === undefined ? undefined : readFileSync(file, 'utf8');
}

function print({ recording, result, opinions, difference, complaints }: Tested, caller: Caller): void {
  if (caller.isJson) {
    printJson(caller, { recording, result, opinions, difference, complaints });
    return;
  }
  const style = result === 'passed' || result === 'updated' ? 'good' : 'bad';
  printSpans(caller, [
    span(style, result.padEnd(8)),
    recording,
    span('faint', `  ${formatCount(opinions.length, 'opinion')}`),
  ]);
  for (const complaint of complaints) printSpans(caller, ['  ', span('bad', complaint)]);
  for (const line of difference)
    printSpans(caller, ['  ', span(line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : 'faint', line)]);
}
