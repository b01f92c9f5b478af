import { isSet } from '../option-values.ts';
import { printJson, printSpans } from '../output.ts';
import type { Caller, OptionValues, Verb } from '../verb.ts';

export const driverSearch: Verb = {
  name: 'driver search',
  summary: 'find what would drive a device: packages, firmware, catalogue entries, with scores and reasons',
  description: [
    'Asks the module tree, the Modaliases headers of apt’s packages, AppStream components, Contents lists (for firmware that is missing), dnf’s repositories and the signed catalogues. All of it is data the system has already: nothing is fetched without --refresh, and nothing changed. What could not be read is told on standard error.',
    'Candidates are ranked: drivers before firmware before programs, free and in-tree before proprietary, exact ids before classes, what fits this kernel, what the kernel takes a signature of, and the newest recommended branch; the score has a digit for each. What matches by a pattern that is too broad is never taken unasked, and nothing comes from an origin that is not signed or not allowed.',
  ],
  arguments: [
    {
      name: 'device',
      description:
        'devices (devpath, sysfs path, sysname, /dev node) or modaliases; without any, all that have no driver',
      isVariadic: true,
      completes: 'device',
    },
  ],
  options: [
    { flags: '-q, --quiet', description: 'leave out what could not be read' },
    { flags: '--refresh', description: 'have apt fetch its indexes first, which root may' },
  ],
  examples: [
    { command: 'usher driver search', does: 'What could be installed for devices without a driver.' },
    { command: 'usher driver search 0000:01:00.0', does: 'Everything that claims this PCI device, best first.' },
    {
      command: 'usher driver search pci:v000010DEd00001DB1sv000010DEsd00001212bc03sc02i00 --json',
      does: 'The same of a device that is not there, as one object.',
    },
  ],
  exitStatuses: { 1: 'nothing is known that would drive it' },
  run: runSearch,
};

async function runSearch(words: readonly string[], options: OptionValues, caller: Caller): Promise<number> {
  const { searchAll } = await import('../search-drivers.ts');
  const { searchLines, searchToJson } = await import('../../drivers/driver-report.ts');
  const { formatProblem } = await import('../../vocabulary/place.ts');
  if (isSet(options, 'refresh')) {
    const { refreshForSearch } = await import('../search-drivers.ts');
    await refreshForSearch(caller);
  }
  let found = 0;
  for await (const search of searchAll(words, caller)) {
    // Most devices without a driver need none: only those are told for which something could be installed.
    if (words.length === 0 && search.ranked.every(({ candidate }) => candidate.source.kind === 'module')) continue;
    found += search.ranked.length;
    if (caller.isJson) printJson(caller, searchToJson(search));
    else for (const line of searchLines(search)) printSpans(caller, line);
    if (!isSet(options, 'quiet') && !caller.isJson)
      for (const problem of search.problems) caller.stderr.write(`usher: ${formatProblem(problem)}\n`);
  }
  return found > 0 ? 0 : 1;
}
