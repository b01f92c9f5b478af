import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseRules } from './parse-rules.ts';
import { RuleSet, type RuleFile } from './rule-set.ts';

/** Largest rule file read, in bytes; a distribution's largest has some ten thousand. */
export const RULE_FILE_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Folders, strongest first → the rule files in them, in the order they are read: by name, wherever they are. Of files with one name
 * only that of the strongest folder counts; an empty one, or a link to /dev/null, so takes another out. Source: udev(7).
 */
export function listRuleFiles(dirs: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const dir of dirs) {
    for (const name of namesIn(dir)) {
      if (!byName.has(name) && name.endsWith('.rules')) byName.set(name, path.join(dir, name));
    }
  }
  return [...byName].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([, file]) => file);
}

/** Reads and compiles all rules of these folders. What is wrong is in the set's problems. */
export function loadRuleSet(dirs: readonly string[]): RuleSet {
  return new RuleSet(listRuleFiles(dirs).map(readRuleFile));
}

/** One rule file; one that cannot be read has no rules and one problem. */
export function readRuleFile(file: string): RuleFile {
  try {
    const stat = statSync(file);
    if (stat.isFile() && stat.size > RULE_FILE_MAX_BYTES) {
      return unreadable(file, `it has ${stat.size} bytes, at most ${RULE_FILE_MAX_BYTES} are read`);
    }
    // A link to /dev/null masks: there is nothing in it to be read.
    const bytes = stat.isFile() ? readFileSync(file) : Buffer.alloc(0);
    return { ...parseRules(bytes.toString('utf8'), file), hash: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    return unreadable(file, `it cannot be read: ${(error as Error).message}`);
  }
}

function unreadable(file: string, message: string): RuleFile {
  return { file, rules: [], problems: [{ severity: 'error', place: { file }, message }], hash: '' };
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
