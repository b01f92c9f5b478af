import type { ModuleFacts } from '../../kernel/module-facts.ts';
import { GPL_COMPATIBLE } from '../../kernel/module-traits.ts';
import type { ModuleRestrictions } from '../../kernel/restrictions.ts';
import { parameterFindings } from './check-parameters.ts';
import type { Finding } from './finding.ts';
import type { ModuleName } from '../../vocabulary/module-name.ts';

/** What is known of the kernel a module is to be given to. */
export interface KernelFacts {
  readonly release: string;
  readonly restrictions: ModuleRestrictions;
  /** What a module of this kernel was built for; undefined when none could be looked at. */
  readonly vermagic: string | undefined;
  /** Whether the kernel looks at signatures at all (CONFIG_MODULE_SIG). */
  readonly checksSignatures: boolean;
  /** Names of its symbols and its modules', or undefined when it does not tell. */
  readonly symbols: ReadonlySet<string> | undefined;
}

/** What surrounds the module. */
export interface PreflightSetting {
  /** The modules that are there, or come with the plan. */
  readonly has: (module: ModuleName) => boolean;
  /** Modules that export a symbol. */
  readonly exportersOf: (symbol: string) => readonly ModuleName[];
  readonly force?: { readonly modversion: boolean; readonly vermagic: boolean };
  /** What it is to be given, as finit_module(2) takes it. */
  readonly parameters?: string;
}

/** Most names listed of one kind; a module for another kernel lacks hundreds. */
const NAMES_MAX = 8;

/** A module and a kernel → what is to be expected of inserting the one into the other. Looks at nothing but what it is given. */
export function preflight(facts: ModuleFacts, kernel: KernelFacts, setting: PreflightSetting): readonly Finding[] {
  return [
    ...disabledFindings(kernel),
    ...signatureFindings(facts, kernel),
    ...vermagicFindings(facts, kernel, setting),
    ...dependencyFindings(facts, setting),
    ...symbolFindings(facts, kernel, setting),
    ...parameterFindings(facts.parameters, setting.parameters ?? ''),
    ...firmwareFindings(facts),
    ...taintFindings(facts, kernel, setting),
  ];
}

function disabledFindings({ restrictions }: KernelFacts): Finding[] {
  const finding = (message: string): Finding => ({ kind: 'modules-disabled', severity: 'refusal', message });
  if (!restrictions.hasModules) return [finding('this kernel has no loadable modules')];
  return restrictions.modulesDisabled
    ? [finding('kernel.modules_disabled is 1: nothing loads until the next boot')]
    : [];
}

function signatureFindings(
  { isSigned, signer = '' }: ModuleFacts,
  { restrictions, checksSignatures }: KernelFacts,
): Finding[] {
  const { lockdown, enforcesSignatures } = restrictions;
  const why = enforcesSignatures
    ? 'module.sig_enforce is on'
    : lockdown === 'integrity' || lockdown === 'confidentiality'
      ? `the kernel is locked down (${lockdown})`
      : undefined;
  if (why === undefined) return [];
  if (isSigned) {
    const by = signer === '' ? '' : ` by "${signer}"`;
    return [
      { kind: 'signature', severity: 'note', message: `it is signed${by}, and ${why}: the kernel must have that key` },
    ];
  }
  const message = checksSignatures ? `it has no signature, and ${why}` : `it cannot be verified, and ${why}`;
  return [{ kind: 'signature', severity: 'refusal', message }];
}

/**
 * The kernel compares vermagic word for word, without the release when the module has checksums of its own symbols.
 * Source: kernel/module/version.c, same_magic.
 */
function vermagicFindings(facts: ModuleFacts, kernel: KernelFacts, { force }: PreflightSetting): Finding[] {
  if (facts.vermagic === undefined || force?.vermagic === true) return [];
  const wanted = kernel.vermagic ?? kernel.release;
  const own = kernel.vermagic === undefined ? (facts.vermagic.split(' ')[0] ?? '') : facts.vermagic;
  const withoutRelease = (text: string): string => text.slice(text.indexOf(' ') + 1).trim();
  const isSame =
    facts.hasModversions && kernel.vermagic !== undefined
      ? withoutRelease(own) === withoutRelease(wanted)
      : own.trim() === wanted.trim();
  if (isSame) return [];
  const severity = kernel.vermagic === undefined ? 'warning' : 'refusal';
  return [
    { kind: 'vermagic', severity, message: `it was built for "${own.trim()}", this kernel is "${wanted.trim()}"` },
  ];
}

function dependencyFindings({ depends }: ModuleFacts, { has }: PreflightSetting): Finding[] {
  const missing = depends.filter(module => !has(module));
  if (missing.length === 0) return [];
  const message = `it needs ${listed(missing)}, which ${missing.length === 1 ? 'is' : 'are'} not there`;
  return [{ kind: 'dependency', severity: 'refusal', message }];
}

function symbolFindings(facts: ModuleFacts, kernel: KernelFacts, { exportersOf, has }: PreflightSetting): Finding[] {
  const { symbols } = kernel;
  if (symbols === undefined) return [];
  const unknown = facts.neededSymbols.filter(symbol => {
    const exporters = exportersOf(symbol);
    return !symbols.has(symbol) && !exporters.some(module => has(module));
  });
  if (unknown.length === 0) return [];
  const owners = [...new Set(unknown.flatMap(symbol => exportersOf(symbol)))];
  const where = owners.length === 0 ? 'no module of the tree has them' : `load ${listed(owners)} first`;
  return [{ kind: 'symbol', severity: 'refusal', message: `the kernel has no symbol ${listed(unknown)}: ${where}` }];
}

function firmwareFindings({ firmware }: ModuleFacts): Finding[] {
  const absent = firmware.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
  if (absent.length === 0) return [];
  const message = `${absent.length} of the ${firmware.length} firmware files it names are absent: ${listed(absent)}`;
  return [{ kind: 'firmware', severity: 'warning', message }];
}

function taintFindings(facts: ModuleFacts, kernel: KernelFacts, { force }: PreflightSetting): Finding[] {
  const taints: string[] = [];
  if (facts.license === undefined) taints.push('P, it names no licence');
  else if (!GPL_COMPATIBLE.has(facts.license)) taints.push(`P, its licence is "${facts.license}"`);
  if (force?.modversion === true || force?.vermagic === true) taints.push('F, it is loaded by force');
  if (facts.isStaging) taints.push('C, it is a staging driver');
  if (!facts.isInTree) taints.push('O, it was built outside the kernel tree');
  if (!facts.isSigned && kernel.checksSignatures) taints.push('E, it has no signature');
  if (facts.isLivePatch) taints.push('K, it is a live patch');
  if (facts.isTest) taints.push('N, it is a test of the kernel');
  if (taints.length === 0) return [];
  const message = `it taints the kernel until the next boot, also when it then fails to load: ${taints.join('; ')}`;
  return [{ kind: 'taint', severity: 'note', message }];
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  return names.slice(0, NAMES_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
