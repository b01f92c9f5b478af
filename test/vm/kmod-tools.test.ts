import { jsonLines } from '../support/usher.ts';
import type { Guest } from './guest.ts';
import { guestFor } from './scenario.ts';
import { cutFile, foreignFile } from './damage.ts';
import { stageUdev } from './udev-root.ts';

const scenario = await guestFor({
  testModules: true,
  prepareRoot: root => stageUdev(root),
  afterIndexing: tree => {
    cutFile(`${tree}/updates/usherd_cut.ko`);
    foreignFile(`${tree}/updates/usherd_foreign.ko`);
  },
  files: {
    'etc/modprobe.d/test.conf': [
      'remove usherd_installed echo "$MODPROBE_MODULE|$CMDLINE_OPTS|" && /sbin/rmmod usherd_installed',
      'options usherd_optioned ms=1',
      'install e1000e usher modprobe --ignore-install e1000e',
      '',
    ].join('\n'),
  },
});

/** All of the module's parameters, as the kernel has them now. */
const READ_TYPED = 'grep . /sys/module/usherd_typed/parameters/*';

/** `$T` is the folder of the tree. Each is run by Debian's tools and then, from the same beginning, by ours. */
const SEQUENCES: Readonly<Record<string, readonly string[]>> = {
  'a file system with what it needs, there and away again': [
    'modprobe -v ext4',
    'modprobe -v ext4',
    'modprobe --first-time ext4',
    'lsmod',
    'modprobe -r -v jbd2',
    'modprobe -r --first-time -n -v ext4',
    'rmmod jbd2',
    'modprobe -r -v ext4',
    'lsmod',
    'modprobe -r -v -a jbd2 mbcache crc16 crc32c_generic',
    'modprobe -r ext4',
    'modprobe -r --first-time ext4',
  ],
  'softdeps come and go with their module': [
    'modprobe -v usherd_soft',
    'lsmod',
    'modprobe -r -v usherd_soft',
    'lsmod',
    'modprobe -i -v usherd_soft',
    'modprobe -r -i -v usherd_soft',
    'modprobe -rqa usherd_pre usherd_post',
  ],
  'what the kernel refuses is refused in the same words': [
    'modprobe usherd_fails',
    'modprobe usherd_cut',
    'modprobe usherd_foreign',
    'modprobe -v usherd_plain ms=many',
    'modprobe -f usherd_plain',
    'modprobe --force-vermagic usherd_plain',
    'insmod $T/kernel/fs/jbd2/jbd2.ko',
    'insmod $T/kernel/fs/ext4/ext4.ko',
    'insmod $T/updates/usherd_cut.ko',
    'insmod $T/updates/usherd_plain.ko',
    'insmod $T/updates/usherd_plain.ko',
    'rmmod -f usherd_plain',
    'rmmod usherd_plain usherd_plain',
    'rmmod usherd_plain',
    'rmmod jbd2',
    'lsmod',
  ],
  'a parameter of each type is passed on, and what is none of its type is refused by the kernel': [
    'insmod $T/updates/usherd_typed.ko a_byte=200 a_short=-300 a_ushort=60000 an_int=-70000 a_uint=4000000000 a_long=-5 a_ulong=0x10',
    READ_TYPED,
    'rmmod usherd_typed',
    'insmod $T/updates/usherd_typed.ko a_ullong=18446744073709551615 a_hexint=255 a_bool=Y an_invbool=1 some_ints=4,3,2 a_string=short',
    READ_TYPED,
    'rmmod usherd_typed',
    `insmod $T/updates/usherd_typed.ko 'a_text="two words"' a_bool`,
    READ_TYPED,
    'rmmod usherd_typed',
    `modprobe -v usherd_typed 'a_text="two words"' some_ints=1 an_int=0x7f`,
    READ_TYPED,
    'modprobe -r usherd_typed',
    'insmod $T/updates/usherd_typed.ko a_byte=256',
    'insmod $T/updates/usherd_typed.ko an_int=many',
    'insmod $T/updates/usherd_typed.ko some_ints=1,2,3,4,5',
    'insmod $T/updates/usherd_typed.ko a_string=far-too-long-a-text',
    'insmod $T/updates/usherd_typed.ko a_bool=maybe',
    'insmod $T/updates/usherd_typed.ko no_such=1',
    'rmmod usherd_typed',
  ],
  'parameters, several names, and commands of modprobe.d': [
    'modprobe -v dummy numdummies=2',
    'cat /sys/module/dummy/parameters/numdummies',
    'modprobe -r -v -w 100 dummy',
    'modprobe -a -v mbcache nothing crc16',
    'modprobe -r -a -v mbcache nothing crc16',
    'modprobe -v usherd_optioned',
    'cat /sys/module/usherd_optioned/parameters/ms',
    'modprobe -r -v usherd_optioned',
    'modprobe usherd_installed',
    'modprobe -r -v usherd_installed',
    'lsmod',
  ],
};

/** Runs a sequence → of each line what it printed, its status, and the modules there were after it. */
async function play(guest: Guest, lines: readonly string[], prefix: string): Promise<readonly string[]> {
  const said: string[] = [];
  for (const line of lines) {
    const command = /^(?:modprobe|insmod|rmmod|lsmod)/.test(line) ? `${prefix}${line}` : line;
    const { stdout, stderr, status } = await guest.try(`T=/lib/modules/$(uname -r); ${command}`);
    const modules = await guest.run("cut -d' ' -f1,3,4 /proc/modules | sort | tr '\\n' ';'");
    said.push(`$ ${line} [${status}]\n${stdout}${firstLine(stderr)}\n${modules}`);
  }
  return said;
}

/** What kmod says, without the place in its own source; what we add stands behind it. */
function firstLine(stderr: string): string {
  const lines = stderr.split('\n').filter(line => !line.includes('../libkmod/'));
  return (lines.find(line => / (?:ERROR|FATAL|WARNING): /.test(line)) ?? '').trim();
}

for (const [title, lines] of Object.entries(SEQUENCES)) {
  scenario(title, async (t, guest) => {
    const theirs = await play(guest, lines, '/sbin/');
    const ours = await play(guest, lines, 'usher ');
    t.deepEqual(ours, theirs);
  });
}

scenario(
  'with --remove-holders all goes that kmod removes, and what a holder took along is a failure',
  async (t, guest) => {
    const line = 'modprobe -r -v --remove-holders jbd2';
    await guest.run('usher modprobe ext4');
    const [theirs = ''] = await play(guest, [line], '/sbin/');
    await guest.run('usher modprobe ext4');
    const [ours = ''] = await play(guest, [line], 'usher ');
    // jbd2 goes with ext4, as nobody else uses it, and is then asked for once more.
    t.true(theirs.startsWith(`$ ${line} [1]\n`));
    // What it says of that has a place in kmod's own source, and is left out of theirs.
    const refusal = "modprobe: ERROR: could not remove 'jbd2': No such file or directory";
    t.true(ours.includes(refusal));
    t.is(ours.replace(refusal, ''), theirs);
  },
);

interface ByHand {
  readonly incident: {
    readonly tool: string;
    readonly words: readonly string[];
    readonly inserted?: readonly string[];
    readonly removed?: readonly string[];
    readonly failed?: readonly { readonly module: string; readonly reason: string }[];
    readonly uid: number;
    readonly pid: number;
  };
}

scenario('what is loaded and removed by hand is on record, and by whom', async (t, guest) => {
  await guest.startUsherd('--no-coldplug');
  const lines = [
    'modprobe ext4',
    'modprobe ext4',
    'modprobe -n -v -r ext4',
    'modprobe -r ext4',
    'insmod $T/kernel/fs/ext4/ext4.ko',
    'modprobe usherd_optioned ms=2 no_such=1',
    'rmmod usherd_optioned',
  ];
  await play(guest, lines, 'usher ');
  const told = jsonLines<ByHand>(
    await guest.try('usher settle >/dev/null; usher history --incidents --kind modules-by-hand --json'),
  );
  const acts = told.map(({ incident }) => incident);
  t.deepEqual(
    acts.map(({ tool, words }) => [tool, ...words].join(' ').replace(/\S+(?=\/kernel)/, '$T')),
    [
      'modprobe ext4',
      'modprobe -r ext4',
      'insmod $T/kernel/fs/ext4/ext4.ko',
      'modprobe usherd_optioned ms=2 no_such=1',
      'rmmod usherd_optioned',
    ],
  );
  t.true(acts.every(({ uid, pid }) => uid === 0 && pid > 1));
  const [loaded, removed, refused, , last] = acts;
  t.is(loaded?.inserted?.at(-1), 'ext4');
  t.true(loaded?.inserted?.includes('jbd2'));
  t.is(removed?.removed?.[0], 'ext4');
  t.regex(JSON.stringify(refused?.failed), /"module":"ext4","reason":"ENOENT: /);
  t.deepEqual(last?.removed, ['usherd_optioned']);
  const why = await guest.run('usher why usherd_optioned');
  t.regex(why, /removed by hand: rmmod usherd_optioned by uid 0 \(pid \d+\) at /);
  t.regex(await guest.run('usher history --incidents -m usherd_optioned'), /modules-by-hand tool=rmmod/);
  const { stderr } = await guest.try('usher modprobe usherd_optioned no_such=1; usher rmmod usherd_optioned');
  t.regex(
    stderr,
    /modprobe: usherd_optioned: it has no parameter "no_such", which the kernel passes over; it has flag, text, ms$/m,
  );
  // The install command of a plan of the daemon's runs modprobe: that is no act by hand.
  const plug = await guest.plug('e1000e');
  t.is((await guest.expectBound('pci', 'e1000e')).length, 1);
  t.is((await guest.history('-m e1000e --outcome loaded')).length, 1);
  t.is(await guest.run('usher history --incidents --kind modules-by-hand -m e1000e'), '');
  await guest.unplug(plug);
  await guest.stopUsherd();
});

scenario(
  'of a file the kernel refuses it is said what can be seen: which symbols, and how vermagic differs',
  async (t, guest) => {
    const ext4 = await guest.try('usher insmod /lib/modules/$(uname -r)/kernel/fs/ext4/ext4.ko');
    t.regex(
      ext4.stderr,
      /insmod: it needs .*jbd2.*, which are not there\ninsmod: the kernel has no symbol .*: load .*jbd2.* first/,
    );
    const foreign = await guest.try('usher insmod /lib/modules/$(uname -r)/updates/usherd_foreign.ko');
    t.regex(foreign.stderr, /ERROR: could not insert module \S+: /);
    const [, symbol = ''] = /the kernel has no symbol ([^,:]+)/.exec(ext4.stderr) ?? [];
    t.regex(await guest.run('dmesg'), new RegExp(`ext4: Unknown symbol ${symbol}`));
  },
);
