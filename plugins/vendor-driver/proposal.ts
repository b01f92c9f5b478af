import type { FoundDriver, Proposal } from '../../core/plugin-api/index.ts';
import type { VendorDriverSettings } from './settings.ts';

/** More reasons than a person reads in a line. */
const REASONS_MAX = 3;

/** What is known for a device → what an administrator is told of it; nothing when none of it may be taken unasked. */
export function proposalOf(
  devpath: string,
  found: readonly FoundDriver[],
  { free_only: freeOnly }: VendorDriverSettings,
): Proposal | undefined {
  // Where a module is here already and the device has no driver all the same, what it lacks is firmware.
  const chosen =
    found.find(({ isChosen }) => isChosen) ?? found.find(({ delivers, isFit }) => isFit && delivers === 'firmware');
  if (chosen === undefined || (freeOnly && chosen.licence !== 'free')) return undefined;
  const { name, version, origin, licence, delivers, reasons } = chosen;
  const device = devpath.slice(devpath.lastIndexOf('/') + 1);
  const others = found.length - 1;
  const besides = others === 0 ? '' : `; usher driver search ${device} has ${others} more`;
  return {
    title: `${name} ${version} from ${origin} ${delivers === 'firmware' ? 'has firmware for it' : 'would drive it'}`,
    reason: `${licence === 'unknown' ? 'licence not known' : licence}; ${reasons.slice(0, REASONS_MAX).join('; ')}${besides}`,
    command: `usher driver install ${device}${chosen.isChosen ? '' : ` ${name}`}`,
  };
}
