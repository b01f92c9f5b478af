import { compareDebVersions } from './apt/deb-version.ts';
import type { DriverCandidate, DriverMatch } from './candidate.ts';
import { breadthOf } from './pattern-breadth.ts';
import type { SystemFacts } from './system-facts.ts';

/** A candidate with its place among the others. */
export interface RankedCandidate {
  readonly candidate: DriverCandidate;
  /** Six digits, one for each question below, the weightiest first; comparable among candidates for one device. */
  readonly score: number;
  /** What speaks for and against it, in the order of the questions. */
  readonly reasons: readonly string[];
  /** Why it is never taken unless it is named; empty when it may be. */
  readonly flags: readonly string[];
  /** Why it cannot be installed at all. */
  readonly obstacles: readonly string[];
}

/** An answer to one question: a digit, and what it means. */
interface Answer {
  readonly points: number;
  readonly reason?: string;
}

/** What is asked of each candidate, weightiest first. */
const QUESTIONS: readonly ((candidate: DriverCandidate, facts: SystemFacts) => Answer)[] = [
  deliveryAnswer,
  licenceAnswer,
  exactnessAnswer,
  kernelAnswer,
  signatureAnswer,
  branchAnswer,
];

/**
 * Candidates for one device → the same, best first, each with why. Free and in-tree before proprietary, exact ids before classes, what
 * fits this kernel, what it will take a signature of, the newest recommended branch. What cannot be installed, and what matches by too
 * broad a pattern, comes after all else.
 */
export function rankCandidates(candidates: readonly DriverCandidate[], facts: SystemFacts): readonly RankedCandidate[] {
  return candidates
    .map(candidate => rankOne(candidate, facts))
    .toSorted(
      (a, b) =>
        a.obstacles.length - b.obstacles.length ||
        a.flags.length - b.flags.length ||
        b.score - a.score ||
        compareDebVersions(versionOf(b.candidate), versionOf(a.candidate)) ||
        (a.candidate.id < b.candidate.id ? -1 : 1),
    );
}

/** The one that is taken when none is named: the best, unless something speaks against taking it unasked. */
export function chosenOf(ranked: readonly RankedCandidate[]): RankedCandidate | undefined {
  return ranked.find(({ flags, obstacles }) => flags.length === 0 && obstacles.length === 0);
}

function rankOne(candidate: DriverCandidate, facts: SystemFacts): RankedCandidate {
  const answers = QUESTIONS.map(question => question(candidate, facts));
  // A driver of the kernel for a whole class, as that of SATA controllers, is what it is meant to be.
  const breadth = candidate.source.kind === 'module' ? undefined : patternBreadth(candidate.match);
  const flags = [
    ...(breadth?.tooBroad === undefined ? [] : [`${breadth.tooBroad}: it says little about this one`]),
    ...(candidate.delivers === 'program' ? ['it is a program for the device, no driver'] : []),
  ];
  return {
    candidate,
    score: answers.reduce((sum, { points }) => sum * 10 + points, 0),
    reasons: answers.flatMap(({ reason }) => reason ?? []),
    flags,
    obstacles: obstaclesOf(candidate, facts),
  };
}

function obstaclesOf({ origin, source }: DriverCandidate, facts: SystemFacts): readonly string[] {
  return [
    ...(origin.distrust === undefined ? [] : [`nothing is taken from ${origin.name}: ${origin.distrust}`]),
    ...(source.kind === 'package' && isForOthers(source.releases, facts.release)
      ? [`its modules are for ${source.releases.join(', ')}, this kernel is ${facts.release}`]
      : []),
    ...(source.kind === 'file' && source.release !== facts.release
      ? [`it was built for ${source.release}, this kernel is ${facts.release}`]
      : []),
  ];
}

function isForOthers(releases: readonly string[], release: string): boolean {
  return releases.length > 0 && !releases.includes(release);
}

function deliveryAnswer({ delivers }: DriverCandidate): Answer {
  if (delivers === 'module') return { points: 2 };
  return delivers === 'firmware' ? { points: 1, reason: 'it brings firmware' } : { points: 0 };
}

function licenceAnswer({ source, licence, delivers }: DriverCandidate): Answer {
  if (source.kind === 'module')
    return { points: 3, reason: licence === 'free' ? 'there already, and free software' : 'there already' };
  if (licence === 'free') return { points: 2, reason: 'free software' };
  if (licence === 'unknown') return { points: 1, reason: 'its licence is not known before it is there' };
  return { points: 0, reason: delivers === 'module' ? 'proprietary: it taints the kernel' : 'proprietary' };
}

function exactnessAnswer({ match }: DriverCandidate): Answer {
  if (match.kind === 'firmware') return { points: 4, reason: `it has the file ${match.name}` };
  const { exactness, tooBroad } = breadthOf(match.pattern);
  if (exactness === 4) return { points: 4, reason: `it names this device: ${match.pattern}` };
  return { points: exactness, ...(tooBroad === undefined ? { reason: `by vendor and class: ${match.pattern}` } : {}) };
}

function kernelAnswer({ source, delivers }: DriverCandidate, { release, hasHeaders, hasDkms }: SystemFacts): Answer {
  if (source.kind === 'module') return { points: 4, reason: `in the module tree of ${release}` };
  if (delivers !== 'module') return { points: 4 };
  if (source.kind === 'file')
    return source.release === release ? { points: 4, reason: `built for ${release}` } : { points: 0 };
  if (source.releases.includes(release)) return { points: 4, reason: `built for ${release}` };
  if (source.releases.length > 0) return { points: 0 };
  if (!source.isDkms) return { points: 1, reason: 'nothing says for which kernel it was built' };
  if (!hasHeaders)
    return { points: 1, reason: `built here by DKMS, which needs the headers of ${release}: they are not there` };
  return hasDkms
    ? { points: 3, reason: 'built here by DKMS; the headers are there' }
    : { points: 2, reason: 'built here by DKMS, which is installed with it; the headers are there' };
}

function signatureAnswer({ source, delivers }: DriverCandidate, facts: SystemFacts): Answer {
  if (facts.needsSignature === undefined || delivers !== 'module') return { points: 2 };
  if (source.kind === 'module') return { points: 2, reason: 'signed with the kernel' };
  if (source.kind === 'package' && source.isDkms)
    return { points: 1, reason: `${facts.needsSignature}: DKMS signs with this machine's key, which must be enrolled` };
  return { points: 0, reason: `${facts.needsSignature}: it loads only when signed by a key the kernel knows` };
}

/** Source: ubuntu-drivers-common, values of the header Support. */
const BRANCHES: Readonly<Record<string, Answer>> = {
  PB: { points: 3, reason: 'the vendor recommends this branch' },
  LTSB: { points: 3, reason: "the vendor's long-term branch" },
  NFB: { points: 1, reason: "the vendor's branch of new features" },
  BETA: { points: 0, reason: 'a beta version' },
  Legacy: { points: 0, reason: "the vendor's legacy branch" },
};

function branchAnswer({ source }: DriverCandidate): Answer {
  const support = source.kind === 'package' ? source.support : undefined;
  return (support === undefined ? undefined : BRANCHES[support]) ?? { points: 2 };
}

function patternBreadth(match: DriverMatch): ReturnType<typeof breadthOf> | undefined {
  return match.kind === 'modalias' ? breadthOf(match.pattern) : undefined;
}

function versionOf({ source }: DriverCandidate): string {
  return source.kind === 'module' ? '' : source.version;
}
