import * as fc from 'fast-check';
import type { Uevent } from '../../../core/pipeline/1-intake/uevent.ts';
import { ACTIONS } from '../../../core/pipeline/1-intake/uevent.ts';
import type { Candidate } from '../../../core/pipeline/3-match/candidate.ts';
import { VERDICT_KINDS, type Decision, type Opinion } from '../../../core/pipeline/4-policy/opinion.ts';
import type { LoadPlan, Step } from '../../../core/pipeline/5-resolve/load-plan.ts';
import type { Outcome } from '../../../core/pipeline/6-load/outcome.ts';
import type { Deliberation } from '../../../core/pipeline/7-ledger/deliberation.ts';
import type { Devpath } from '../../../core/vocabulary/devpath.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import type { Place } from '../../../core/vocabulary/place.ts';
import type { Seqnum } from '../../../core/vocabulary/seqnum.ts';

/** Text as the kernel may send it, with what gives formats trouble: line feeds, backslashes, NUL, `@`, blanks. */
const text = fc.string({
  maxLength: 30,
  unit: fc.constantFrom('a', 'Z', '0', '\n', '\\', 'n', '\0', '@', ' ', '=', 'é', '𝄞', '\u202e', '\u001b'),
});
const moduleNames = fc.constantFrom('usbhid', 'hid_generic', 'snd_usb_audio', 'igb', 'e1000e').map(moduleName);
const ms = fc.double({ min: 0, max: 1e13, noNaN: true, noDefaultInfinity: true });
const devpath = text.map(tail => `/devices/${tail}` as Devpath);

/** Leaves keys out as often as it sets them, since absent and undefined are not the same. */
function optional<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(model, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const places: fc.Arbitrary<Place> = fc
  .tuple(text, optional<Place>({ line: fc.nat(), column: fc.nat(), offsetBytes: fc.nat() } as never))
  .map(([file, rest]) => ({ ...rest, file }));

const env = fc
  .dictionary(
    fc.oneof(fc.constantFrom('ACTION', 'DEVPATH', 'SUBSYSTEM', 'SEQNUM', 'MODALIAS', 'DRIVER', 'SYNTH_UUID'), text),
    text,
    { noNullPrototype: false, maxKeys: 8 },
  )
  .map(entries => Object.assign(Object.create(null), entries) as Record<string, string>);

const seqnum = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }) as fc.Arbitrary<Seqnum>;

export const uevents: fc.Arbitrary<Uevent> = fc
  .tuple(
    fc.record({
      action: fc.constantFrom(...ACTIONS),
      devpath,
      subsystem: text,
      env,
      origin: fc.oneof(
        fc.record({ kind: fc.constantFrom('kernel' as const, 'coldplug', 'resync', 'replay') }),
        fc.record({ kind: fc.constantFrom('injected' as const, 'udev'), pid: fc.nat() }),
      ),
      receivedAtMs: ms,
    }),
    fc.record({ seqnum, synthUuid: text }, { requiredKeys: [] }),
    fc.boolean(),
  )
  .map(([facts, rest, isTruthful]) => {
    const event: Uevent = { ...facts, ...rest };
    if (!isTruthful) return event;
    // As the kernel sends it: the body repeats what the fields say.
    const body = Object.assign(
      Object.create(null),
      { ACTION: event.action, DEVPATH: event.devpath },
      event.env,
    ) as Record<string, string>;
    body['SUBSYSTEM'] = event.subsystem;
    if (event.seqnum !== undefined) body['SEQNUM'] = event.seqnum.toString();
    if (event.synthUuid !== undefined) body['SYNTH_UUID'] = event.synthUuid;
    return { ...event, env: body };
  });

const candidates: fc.Arbitrary<Candidate> = fc.record({
  module: moduleNames,
  match: fc.record({
    module: moduleNames,
    source: fc.constantFrom('config-alias' as const, 'modules.alias', 'modules.builtin.alias'),
    pattern: text,
    place: places,
  }),
});

const opinions = fc
  .tuple(
    fc.record({ verdict: fc.constantFrom(...VERDICT_KINDS), module: moduleNames, by: text, reason: text }),
    fc.record({ place: places, replacement: moduleNames }, { requiredKeys: [] }),
  )
  .map(([facts, rest]): Opinion => ({ ...facts, ...rest }));

const decisions = fc
  .tuple(
    fc.record({
      module: moduleNames,
      verdict: fc.constantFrom(...VERDICT_KINDS),
      opinions: fc.array(opinions, { maxLength: 3 }),
    }),
    fc.constantFrom('none', 'first', 'apart'),
    opinions,
  )
  .map(([facts, which, apart]): Decision => {
    const winner = which === 'none' ? undefined : which === 'apart' ? apart : facts.opinions[0];
    return winner === undefined ? facts : { ...facts, winner };
  });

const stepFacts = fc
  .tuple(
    fc.record({
      module: moduleNames,
      role: fc.constantFrom('target' as const, 'dependency', 'softdep-pre', 'softdep-post'),
      required: fc.boolean(),
    }),
    fc.record({ neededBy: moduleNames }, { requiredKeys: [] }),
  )
  .map(([facts, rest]) => ({ ...facts, ...rest }));

const steps = fc
  .tuple(
    stepFacts,
    fc.oneof(
      fc.record({
        kind: fc.constant('insert' as const),
        path: text,
        parameters: text,
        optionPlaces: fc.array(places, { maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('run-install' as const), command: text, parameters: text, place: places }),
      fc.record({ kind: fc.constantFrom('loaded' as const, 'builtin') }),
      fc.record({ kind: fc.constant('missing' as const), name: text }),
    ),
  )
  .map(([facts, rest]): Step => ({ ...facts, ...rest }));

const plans: fc.Arbitrary<LoadPlan> = fc.record({ target: moduleNames, steps: fc.array(steps, { maxLength: 4 }) });

export const deliberations: fc.Arbitrary<Deliberation> = fc.record({
  device: fc
    .tuple(
      fc.record({ devpath, subsystem: text }),
      fc.record({ modalias: text, driver: text, devtype: text, devname: text }, { requiredKeys: [] }),
    )
    .map(([facts, rest]) => ({ ...facts, ...rest }) as Deliberation['device']),
  candidates: fc.array(candidates, { maxLength: 3 }),
  decisions: fc.array(decisions, { maxLength: 3 }),
  plans: fc.array(plans, { maxLength: 3 }),
});

export const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant('inserted' as const), module: moduleNames, tookMs: ms }),
  fc.record({ kind: fc.constantFrom('already-loaded' as const, 'builtin', 'observed'), module: moduleNames }),
  fc.record({ kind: fc.constant('ran' as const), module: moduleNames, command: text, tookMs: ms }),
  fc.record({
    kind: fc.constant('refused' as const),
    module: moduleNames,
    errno: fc.constantFrom('ENOEXEC' as const, 'EKEYREJECTED', 'E200'),
    meaning: text,
    tookMs: ms,
  }),
  fc.record({ kind: fc.constant('failed' as const), module: moduleNames, reason: text, tookMs: ms }),
  fc.record({ kind: fc.constant('skipped' as const), module: moduleNames, reason: text }),
);
