import test from 'ava';
import * as fc from 'fast-check';
import { globMatches } from '../../core/kmod/lookup/glob.ts';
import { matchingName, matchingPattern } from '../../core/plugin-api/pattern.ts';

test('a pattern matches whole texts, as fnmatch does, and the first that does is named', t => {
  t.is(matchingPattern(['1-2', '1-2.*'], '1-2.4'), '1-2.*');
  t.is(matchingPattern(['/devices/*/usb[12]/*'], '/devices/pci0000:00/0000:00:14.0/usb1/1-2'), '/devices/*/usb[12]/*');
  t.is(matchingPattern(['1-2'], '1-2.4'), undefined);
  t.is(matchingPattern(['1_2'], '1-2'), undefined);
  t.is(matchingPattern([], 'anything'), undefined);
});

test('in names of modules and in aliases a dash and an underscore are one', t => {
  t.is(matchingName(['snd-hda-*'], 'snd_hda_intel'), 'snd-hda-*');
  t.is(matchingName(['fs_ext*'], 'fs-ext4'), 'fs_ext*');
  t.is(matchingName(['usb-storage'], 'uas'), undefined);
});

test('whatever the list, the first pattern that fnmatch takes is the one that is named', t => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '?', '[ab]', '-', '_'), { maxLength: 4 })
    .map(parts => parts.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', '-', '_'), { maxLength: 5 }).map(parts => parts.join(''));
  const names = (name: string): string => name.replaceAll('-', '_');
  fc.assert(
    fc.property(fc.array(pattern), text, (patterns, asked) => {
      t.is(
        matchingPattern(patterns, asked),
        patterns.find(one => globMatches(one, asked)),
      );
      t.is(
        matchingName(patterns, asked),
        patterns.find(one => globMatches(names(one), names(asked))),
      );
    }),
  );
});
