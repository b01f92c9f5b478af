import type { Evaluation } from '../evaluation.ts';
import type { ProgramRequest } from '../rule-context.ts';
import { hwdbImport } from './hwdb-import.ts';
import { inputId } from './input-id.ts';
import { netId } from './net-id.ts';
import { pathId } from './path-id.ts';
import { usbId } from './usb-id.ts';

type Found = readonly (readonly [key: string, value: string])[] | undefined;

/**
 * The words of IMPORT{builtin} → whether it went well, the properties being set; or the program that has to be asked. Builtins that
 * usherd does not provide count as failed.
 */
export function runBuiltin([name = '', ...words]: readonly string[], evaluation: Evaluation): boolean | ProgramRequest {
  if (name === 'blkid') return blkidRequest(words, evaluation);
  const found = find(name, words, evaluation);
  for (const [key, value] of found ?? []) evaluation.setProperty(key, value);
  return found !== undefined;
}

function find(name: string, words: readonly string[], evaluation: Evaluation): Found {
  const { device, context, properties } = evaluation;
  switch (name) {
    case 'path_id':
      return pathId(device, context);
    case 'usb_id':
      return usbId(device, properties.has('ID_BUS'));
    case 'input_id':
      return inputId(device);
    case 'net_id':
      return netId(device, context);
    case 'hwdb':
      return hwdbImport(words, evaluation);
    default:
      return undefined;
  }
}

/** blkid(8) says the same as udev's builtin, under the same names, with `-p -o udev`. */
function blkidRequest(words: readonly string[], { properties }: Evaluation): boolean | ProgramRequest {
  const node = properties.get('DEVNAME');
  if (node === undefined) return false;
  const offset = words.find(word => word.startsWith('--offset='))?.slice('--offset='.length);
  const hint = words.find(word => word.startsWith('--hint='))?.slice('--hint='.length);
  return {
    words: [
      '/sbin/blkid',
      '-p',
      '-o',
      'udev',
      ...(words.includes('--noraid') ? ['-u', 'noraid'] : []),
      ...(offset === undefined ? [] : ['-O', offset]),
      ...(hint === undefined ? [] : ['-H', hint]),
      node,
    ],
    env: {},
  };
}
