import { formatBytes } from '../pipeline/8-report/quantity.ts';
import { span, type Span } from '../pipeline/8-report/terminal.ts';
import { formatPlace } from '../vocabulary/place.ts';
import type { DriverCandidate } from './candidate.ts';
import { chosenOf, type RankedCandidate } from './rank.ts';
import type { DriverSearch } from './search.ts';

/** What was found for a device → lines for a person: each candidate with what speaks for and against it. */
export function searchLines({ wish, ranked, facts }: DriverSearch): readonly (readonly Span[])[] {
  const chosen = chosenOf(ranked);
  const head: Span[] = [span('title', wish.devpath ?? wish.modalias)];
  const lines: (readonly Span[])[] = [
    head,
    ...(wish.devpath === undefined ? [] : [[span('faint', `  ${wish.modalias}`)]]),
    ...(wish.firmware.length === 0 ? [] : [[`  firmware that is missing: ${wish.firmware.slice(0, 8).join(', ')}`]]),
    ...(facts.secureBoot === true ? [['  Secure Boot is on']] : []),
  ];
  if (ranked.length === 0) return [...lines, ['  nothing is known that would drive it']];
  for (const [n, each] of ranked.entries()) lines.push(...candidateLines(each, n + 1, each === chosen));
  return [...lines, [verdictLine(ranked, chosen)]];
}

function verdictLine(ranked: readonly RankedCandidate[], chosen: RankedCandidate | undefined): string {
  if (chosen === undefined)
    return ranked.every(({ obstacles }) => obstacles.length > 0)
      ? '  none of them can be installed'
      : '  none of them is taken unasked; usher driver install DEVICE CANDIDATE takes one by its name';
  return chosen.candidate.source.kind === 'module'
    ? `  the kernel has ${chosen.candidate.id} already; usher why tells what keeps it from the device`
    : `  usher driver install DEVICE would take ${chosen.candidate.id}`;
}

function candidateLines(
  { candidate, score, reasons, flags, obstacles }: RankedCandidate,
  rank: number,
  isChosen: boolean,
): readonly (readonly Span[])[] {
  return [
    [
      `${String(rank).padStart(2)}  `,
      span(isChosen ? 'good' : 'name', candidate.id),
      ` ${sourceText(candidate)}`,
      span('faint', `  score ${String(score).padStart(6, '0')}, by ${candidate.finder}`),
    ],
    ...reasons.map(reason => [`      ${reason}`]),
    ...flags.map(flag => ['      ', span('warning', flag)]),
    ...obstacles.map(obstacle => ['      ', span('bad', obstacle)]),
  ];
}

/** Version, size and origin in a few words. */
export function sourceText({ source, origin, licence }: DriverCandidate): string {
  if (source.kind === 'module') return `(module, licence ${source.license ?? 'not told'})`;
  const size = source.sizeBytes === undefined ? '' : `, ${formatBytes(source.sizeBytes)}`;
  const suite = origin.suite === '' ? '' : ` ${origin.suite}`;
  const installed = source.kind === 'package' && source.installedVersion !== undefined ? ', installed' : '';
  return `${source.version} from ${origin.name}${suite} (${licence}${size}${installed})`;
}

/** The same as one object, the shape of `usher driver search --json`. */
export function searchToJson({ wish, facts, ranked, problems }: DriverSearch): object {
  const chosen = chosenOf(ranked);
  return {
    modalias: wish.modalias,
    devpath: wish.devpath ?? null,
    release: wish.release,
    firmware: wish.firmware,
    facts: {
      hasHeaders: facts.hasHeaders,
      hasDkms: facts.hasDkms,
      needsSignature: facts.needsSignature ?? null,
      secureBoot: facts.secureBoot ?? null,
    },
    chosen: chosen?.candidate.id ?? null,
    candidates: ranked.map(({ candidate, score, reasons, flags, obstacles }) => ({
      id: candidate.id,
      finder: candidate.finder,
      score,
      delivers: candidate.delivers,
      licence: candidate.licence,
      origin: candidate.origin,
      match: { ...candidate.match, place: formatPlace(candidate.match.place) },
      source: candidate.source,
      reasons,
      flags,
      obstacles,
    })),
    problems: problems.map(({ place, message }) => ({ place: formatPlace(place), message })),
  };
}
