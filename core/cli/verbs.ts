import { approve, deny } from './verbs/approve.ts';
import { daemon } from './verbs/daemon.ts';
import { devices } from './verbs/devices.ts';
import { docs } from './verbs/docs.ts';
import { driver } from './verbs/driver.ts';
import { driverFetch } from './verbs/driver-fetch.ts';
import { driverInstall } from './verbs/driver-install.ts';
import { driverList } from './verbs/driver-list.ts';
import { driverRecover } from './verbs/driver-recover.ts';
import { driverRemove } from './verbs/driver-remove.ts';
import { driverSearch } from './verbs/driver-search.ts';
import { forbid } from './verbs/forbid.ts';
import { history } from './verbs/history.ts';
import { historyAnchor } from './verbs/history-anchor.ts';
import { historyChanges } from './verbs/history-changes.ts';
import { historyDevices } from './verbs/history-devices.ts';
import { historyDrivers } from './verbs/history-drivers.ts';
import { historyExport, historyTail } from './verbs/history-export.ts';
import { historyPrune } from './verbs/history-prune.ts';
import { historySql } from './verbs/history-sql.ts';
import { historyStats } from './verbs/history-stats.ts';
import { historyVerify } from './verbs/history-verify.ts';
import { KMOD_VERBS } from './kmod/kmod-verbs.ts';
import { monitor } from './verbs/monitor.ts';
import { param } from './verbs/param.ts';
import { pending } from './verbs/pending.ts';
import { permit } from './verbs/permit.ts';
import { plugin } from './verbs/plugin.ts';
import { policy } from './verbs/policy.ts';
import { record } from './verbs/record.ts';
import { replay } from './verbs/replay.ts';
import { rules } from './verbs/rules.ts';
import { settle } from './verbs/settle.ts';
import { simulate } from './verbs/simulate.ts';
import { status } from './verbs/status.ts';
import { taint } from './verbs/taint.ts';
import { trigger } from './verbs/trigger.ts';
import { why } from './verbs/why.ts';
import type { Verb } from './verb.ts';

/** Every verb, in the order --help lists them. */
export const VERBS: readonly Verb[] = [
  daemon,
  status,
  devices,
  why,
  history,
  historyDevices,
  historyChanges,
  historyDrivers,
  historyStats,
  historySql,
  historyVerify,
  historyAnchor,
  historyPrune,
  historyExport,
  historyTail,
  monitor,
  trigger,
  settle,
  record,
  replay,
  simulate,
  rules,
  param,
  taint,
  driver,
  driverSearch,
  driverInstall,
  driverList,
  driverRemove,
  driverRecover,
  driverFetch,
  forbid,
  permit,
  policy,
  pending,
  approve,
  deny,
  plugin,
  ...KMOD_VERBS,
  docs,
];
