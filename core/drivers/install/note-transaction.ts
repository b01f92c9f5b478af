import type { Incident } from '../../pipeline/7-ledger/incident.ts';
import type { Transaction } from './transaction.ts';

/** A transaction as it is now → its row in the ledger. */
export function noteTransaction(transaction: Transaction): Incident {
  const { id, state, step, device, candidate, consent, packages, files, modules, driver, taint, trouble } = transaction;
  return {
    kind: 'driver-transaction',
    transaction: id,
    state,
    step,
    device,
    candidate: candidate.id,
    version: candidate.version,
    origin: candidate.origin,
    licence: candidate.licence,
    uid: consent.uid,
    consent: consent.how,
    packages: [
      ...packages.map(
        ({ name, version, sha256 }) => `${name}=${version}${sha256 === undefined ? '' : ` sha256:${sha256}`}`,
      ),
      ...files.map(({ path, sha256 }) => `/${path} sha256:${sha256}`),
    ],
    ...(modules.length === 0 ? {} : { modules }),
    ...(driver === undefined ? {} : { driver }),
    ...(taint === undefined ? {} : { taint: taint.letters }),
    ...(trouble === undefined ? {} : { trouble: `${trouble.step}: ${trouble.message}` }),
  };
}
