import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { UsherdError } from '../../errors.ts';
import { formatDecisions } from './decisions-text.ts';
import { NO_DECISIONS, type StandingDecisions } from './standing-decisions.ts';
import { DECISIONS_MAX_BYTES, parseDecisions, type ParsedDecisions } from './parse-decisions.ts';

/** Who may see what is forbidden: as who may see the ledger. */
const DECISIONS_MODE = 0o640;

/** The file as read. */
export interface ReadDecisions extends ParsedDecisions {
  /** SHA-256 of its text, in hexadecimal; undefined when there is no file. */
  readonly hash: string | undefined;
}

/**
 * Reads the standing decisions; none when there is no file. What cannot be used is a problem.
 * @throws {UsherdError} FILE_UNREADABLE when it is there and cannot be read: who must obey it must not guess
 */
export function readDecisions(file: string): ReadDecisions {
  const text = readText(file);
  if (text === undefined) return { decisions: NO_DECISIONS, problems: [], isWhole: true, hash: undefined };
  return { ...parseDecisions(text, file), hash: hashOf(text) };
}

/**
 * Puts decisions in the file's place: written beside it, on disk, then renamed, so that a crash leaves the old or the new one whole.
 * Who calls holds the ledger's writer lock, and has the change in the ledger already. @throws {UsherdError} FILE_UNWRITABLE
 */
export function writeDecisions(file: string, decisions: StandingDecisions): void {
  const beside = `${file}.new`;
  try {
    rmSync(beside, { force: true });
    const fd = openSync(beside, 'wx', DECISIONS_MODE);
    try {
      writeSync(fd, formatDecisions(decisions));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, file);
    const folder = openSync(path.dirname(file), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    throw new UsherdError('FILE_UNWRITABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}

/** SHA-256 of the text these decisions have in the file, in hexadecimal. */
export function hashOfDecisions(decisions: StandingDecisions): string {
  return hashOf(formatDecisions(decisions));
}

function readText(file: string): string | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.size > DECISIONS_MAX_BYTES)
      throw new Error(`it has ${stats.size} bytes, at most ${DECISIONS_MAX_BYTES} are read`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsherdError('FILE_UNREADABLE', `${file}: ${(error as Error).message}`, { file }, error);
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
