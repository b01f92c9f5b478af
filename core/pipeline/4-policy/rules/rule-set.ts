import { hash } from 'node:crypto';
import type { Uevent } from '../../1-intake/uevent.ts';
import { compileRules } from './compile-rules.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { ParsedRules, RuleProblem } from './rule.ts';
import { sysnameOf } from './sysfs-rule-device.ts';
import { isIdle, specialise, wholeProgram, type FixedTexts, type RuleProgram } from './rule-program.ts';

/** Programs kept per set: a machine has some dozens of subsystems, each with few devtypes and eight actions. Beyond it the oldest goes. */
const PROGRAMS_MAX = 512;

/** A rule file and what it has. */
export interface RuleFile extends ParsedRules {
  /** SHA-256 of its bytes, hexadecimal. */
  readonly hash: string;
}

/** All rules of all folders, ready to be applied. Never changes; a reload makes another. */
export class RuleSet {
  readonly files: readonly RuleFile[];
  readonly rules: readonly CompiledRule[];
  readonly problems: readonly RuleProblem[];
  /** Whether any rule can say something of a module. */
  readonly speaksOfModules: boolean;
  /** Whether any rule can say something of a device. */
  readonly speaksOfDevices: boolean;
  /** How often each rule matched, by its index; only the daemon reads and clears it. */
  readonly hits: Uint32Array;
  readonly #programs = new Map<string, RuleProgram>();
  #whole: RuleProgram | undefined;
  #hash: string | undefined;

  constructor(files: readonly RuleFile[]) {
    this.files = files;
    this.rules = compileRules(files);
    this.problems = files.flatMap(({ problems }) => problems);
    this.speaksOfModules = this.rules.some(rule => rule.saysOfModule);
    this.speaksOfDevices = this.rules.some(rule => !rule.saysOfModule);
    this.hits = new Uint32Array(this.rules.length);
  }

  /** One value for the whole set: SHA-256 over the names and hashes of its files, in order. */
  get hash(): string {
    return (this.#hash ??= hash('sha256', this.files.map(({ file, hash: own }) => `${file}\0${own}\0`).join('')));
  }

  get isEmpty(): boolean {
    return this.rules.length === 0;
  }

  /** The rules that can say anything of such an event. */
  programFor(fixed: FixedTexts): RuleProgram {
    const key = `${fixed.ACTION}\0${fixed.SUBSYSTEM}\0${fixed.DEVTYPE}`;
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const program = specialise(this.rules, fixed);
    const [oldest] = this.#programs.keys();
    if (this.#programs.size >= PROGRAMS_MAX && oldest !== undefined) this.#programs.delete(oldest);
    this.#programs.set(key, program);
    return program;
  }

  /** Whether the rules leave such an event, or a module it asks for, alone: then it need not be gone through them. */
  isIdleFor(
    { action, subsystem, env, devpath }: Pick<Uevent, 'action' | 'subsystem' | 'env' | 'devpath'>,
    about: { readonly isOfModule: boolean },
  ): boolean {
    const program = this.programFor({ ACTION: action, SUBSYSTEM: subsystem, DEVTYPE: env['DEVTYPE'] ?? '' });
    return isIdle(program, sysnameOf(devpath), about.isOfModule);
  }

  wholeProgram(): RuleProgram {
    this.#whole ??= wholeProgram(this.rules);
    return this.#whole;
  }
}

/** No rules at all. */
export const EMPTY_RULE_SET = new RuleSet([]);
