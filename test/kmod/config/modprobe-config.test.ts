import test from 'ava';
import { readModprobeConfig } from '../../../core/kmod/config/modprobe-config.ts';
import { moduleName } from '../../../core/vocabulary/module-name.ts';
import { makeWorld } from '../../support/module-world.ts';

const m = moduleName;

test('look-ups answer with the first line that counts, or with all where modprobe joins them', t => {
  const world = makeWorld(t, {
    files: {
      'etc/modprobe.d/a.conf':
        'options snd index=0\nblacklist snd\ninstall snd* /bin/one\nsoftdep snd pre: a\nweakdep snd w\nremove snd /bin/r\n',
      'etc/modprobe.d/b.conf':
        'options snd id=x\nblacklist snd\ninstall snd /bin/two\nsoftdep snd pre: b\nalias s* snd\nalias sn snd2\n',
    },
  });
  const a = `${world.modprobeDir}/a.conf`;
  const b = `${world.modprobeDir}/b.conf`;
  const config = readModprobeConfig({
    dirs: [world.modprobeDir, `${world.root}/nowhere`],
    treeFiles: [],
    commandLine: { text: 'snd.slots=1 modprobe.blacklist=pcspkr module_blacklist=uas', file: '/proc/cmdline' },
  });
  t.deepEqual(
    config.optionsOf(m('snd')).map(({ text }) => text),
    ['index=0', 'id=x', 'slots=1'],
  );
  t.deepEqual(config.isBlacklisted(m('snd'))?.place, { file: a, line: 2 });
  t.is(config.isBlacklisted(m('snd2')), undefined);
  t.deepEqual(config.isBlacklisted(m('pcspkr'))?.place, { file: '/proc/cmdline', line: 1, column: 13 });
  t.is(config.installCommand(m('snd'))?.command, '/bin/one');
  t.is(config.installCommand(m('snd_pcm'))?.command, '/bin/one');
  t.is(config.installNamed('snd')?.command, '/bin/two');
  t.is(config.removeCommand(m('snd'))?.command, '/bin/r');
  t.deepEqual(config.softdepOf(m('snd'))?.pre, ['a']);
  t.deepEqual(config.weakdepOf(m('snd'))?.modules, ['w']);
  t.deepEqual(
    config.aliasesMatching('sn').map(({ module, place }) => [module as string, place.line]),
    [
      ['snd', 5],
      ['snd2', 6],
    ],
  );
  t.deepEqual(config.files, [world.modprobeDir, `${world.root}/nowhere`, a, b]);
  t.deepEqual(
    config.kernelBlacklist.map(({ module }) => module as string),
    ['uas'],
  );
});

test('files named in place of the folders are read alone, a folder among them by its conf files', t => {
  const world = makeWorld(t, {
    files: { 'etc/modprobe.d/a.conf': 'blacklist a\n', 'own/b.conf': 'blacklist b\n', 'one.txt': 'blacklist c\n' },
  });
  const config = readModprobeConfig({
    dirs: [world.modprobeDir],
    files: [`${world.root}/own`, `${world.root}/one.txt`],
    treeFiles: [],
  });
  t.deepEqual(
    config.directives.map(({ place }) => place.file),
    [`${world.root}/own/b.conf`, `${world.root}/one.txt`],
  );
});

test('a named file that is not there is a problem, a missing folder or tree file is none', t => {
  const { problems } = readModprobeConfig({
    dirs: [],
    files: ['/nonexistent/x.conf'],
    treeFiles: ['/nonexistent/modules.softdep'],
  });
  t.deepEqual(
    problems.map(({ place }) => place.file),
    ['/nonexistent/x.conf'],
  );
});
