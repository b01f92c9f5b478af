import { cutFile, foreignFile, packFile } from './damage.ts';
import { BUS_ALIAS, makeDevice, offerDevice } from './made-device.ts';
import { guestFor } from './scenario.ts';
import { insertedBy, sorted } from './told.ts';

const scenario = await guestFor({
  testModules: true,
  // Modules that do not need one another go in side by side.
  processors: 2,
  files: {
    'etc/modprobe.d/test.conf': [
      BUS_ALIAS,
      'blacklist usherd_unwanted',
      'options usherd_optioned text=from-modprobe.d flag=1',
      'options usherd_optioned ms=1',
      'install usherd_installed echo "$MODPROBE_MODULE $CMDLINE_OPTS" >/run/installed',
      'options usherd_installed text=given',
      'options usherd_slow ms=10000',
      '',
    ].join('\n'),
  },
  afterIndexing: tree => {
    cutFile(`${tree}/updates/usherd_cut.ko`);
    foreignFile(`${tree}/updates/usherd_foreign.ko`);
    packFile(`${tree}/updates/usherd_packed.ko`);
  },
});

scenario(
  'an alias of modprobe.d beats the ones of the tree; a module that is out of tree and unsigned taints',
  async (t, guest) => {
    await guest.startUsherd();
    const modules = await guest.procModules();
    t.deepEqual([modules.get('usherd_bus')?.taint, modules.has('pcspkr')], ['OE', false]);
    const entry = (await guest.history('-d pcspkr -a add')).at(-1);
    t.deepEqual([entry?.result, insertedBy(entry)], ['loaded', ['usherd_bus']]);
    t.regex(await guest.dmesg(), /usherd_bus: loading out-of-tree module taints kernel/);
  },
);

scenario('options of modprobe.d, several lines of them, are in /sys/module', async (t, guest) => {
  const entry = await offerDevice(guest, 'usherd-optioned');
  const parameters = await guest.run('cd /sys/module/usherd_optioned/parameters; cat text flag ms');
  t.deepEqual(parameters.split('\n'), ['from-modprobe.d', 'Y', '1']);
  const [step] = entry.deliberation?.plans[0]?.steps ?? [];
  t.is(step?.parameters, 'text=from-modprobe.d flag=1 ms=1');
  t.deepEqual(
    entry.binds.map(({ driver }) => driver),
    ['usherd_optioned'],
  );
});

scenario('an install command runs in place of the insertion', async (t, guest) => {
  const entry = await offerDevice(guest, 'usherd-installed');
  t.is(await guest.run('cat /run/installed'), 'usherd_installed text=given');
  t.false((await guest.procModules()).has('usherd_installed'));
  t.deepEqual(
    entry.outcomes.map(({ kind, module }) => [kind, module]),
    [['ran', 'usherd_installed']],
  );
});

scenario('a blacklisted module is not loaded for a device, and why tells the line', async (t, guest) => {
  const entry = await offerDevice(guest, 'usherd-unwanted');
  t.false((await guest.procModules()).has('usherd_unwanted'));
  t.like(entry, { result: 'denied', binds: [] });
  const told = await guest.why(entry.event.devpath);
  t.deepEqual(
    told.decisions.map(({ module, verdict, winner }) => [module, verdict, winner?.reason]),
    [['usherd_unwanted', 'deny', '"blacklist usherd_unwanted" keeps it from loading for a device by itself']],
  );
});

scenario('softdeps that a module names itself start before and after it', async (t, guest) => {
  await guest.dmesg();
  const entry = await offerDevice(guest, 'usherd-soft');
  const inits = [...(await guest.dmesg()).matchAll(/(usherd_\w+): init begins/g)].map(([, name]) => name);
  t.deepEqual(inits, ['usherd_pre', 'usherd_soft', 'usherd_post']);
  t.deepEqual(insertedBy(entry), inits);
  t.deepEqual(
    entry.binds.map(({ driver }) => driver),
    ['usherd_soft'],
  );
});

scenario(
  'an alias that names two modules loads both in the order of the index, and the first takes the device',
  async (t, guest) => {
    await guest.dmesg();
    const entry = await offerDevice(guest, 'usherd-twin');
    const inits = [...(await guest.dmesg()).matchAll(/(usherd_\w+): init begins/g)].map(([, name]) => name);
    t.deepEqual(sorted(inits.map(String)), ['usherd_twin_a', 'usherd_twin_b']);
    t.deepEqual(
      entry.deliberation?.candidates.map(({ module }) => module),
      inits,
    );
    t.deepEqual(insertedBy(entry), inits);
    t.deepEqual(
      entry.binds.map(({ driver }) => driver),
      inits.slice(0, 1),
    );
  },
);

scenario(
  'a proprietary module taints the kernel, which /proc/modules says, and drives its device',
  async (t, guest) => {
    const plug = await guest.plug('edu');
    const [bound] = await guest.expectBound('pci', 'usherd_closed');
    const [entry] = await guest.storyOf(bound?.devpath ?? '', plug.fromSeqnum);
    t.is((await guest.procModules()).get('usherd_closed')?.taint, 'POE');
    t.is(Number(await guest.run('cat /proc/sys/kernel/tainted')) & 1, 1);
    t.deepEqual([entry?.result, entry?.binds.map(({ driver }) => driver)], ['loaded', ['usherd_closed']]);
  },
);

scenario('an init that fails leaves nothing behind, and the ledger has its error', async (t, guest) => {
  const entry = await offerDevice(guest, 'usherd-fails');
  t.false((await guest.procModules()).has('usherd_fails'));
  t.deepEqual([entry.result, entry.binds], ['refused', []]);
  t.like(entry.outcomes[0], { kind: 'refused', module: 'usherd_fails', errno: 'EIO' });
});

scenario('beside a dependency that fails the others go in, and what needs it is not tried', async (t, guest) => {
  await guest.dmesg();
  const entry = await offerDevice(guest, 'usherd-whole');
  const outcomes = Object.fromEntries(entry.outcomes.map(outcome => [outcome.module, outcome]));
  t.like(outcomes['usherd_part_a'], { kind: 'refused', errno: 'EIO' });
  // It sleeps before it fails: whoever came after it in turn would not have been begun.
  t.deepEqual(sorted(insertedBy(entry)), ['usherd_part_b', 'usherd_part_c']);
  t.like(outcomes['usherd_whole'], { kind: 'skipped', reason: 'usherd_part_a could not be loaded' });
  t.notRegex(await guest.dmesg(), /usherd_whole/);
});

scenario(
  'a module that is cut off, or for another machine, is refused by the kernel and explained',
  async (t, guest) => {
    for (const name of ['cut', 'foreign']) {
      const entry = await offerDevice(guest, `usherd-${name}`);
      t.false((await guest.procModules()).has(`usherd_${name}`));
      t.like((await guest.why(entry.event.devpath)).outcomes[0], {
        kind: 'refused',
        errno: 'ENOEXEC',
        meaning: 'the file is no module for this kernel: truncated, for another architecture, or its vermagic differs',
      });
    }
  },
);

scenario('a packed module is unpacked by usherd where the kernel cannot', async (t, guest) => {
  t.is((await guest.try('cat /sys/module/compression')).status, 1);
  const entry = await offerDevice(guest, 'usherd-packed');
  t.is((await guest.procModules()).get('usherd_packed')?.state, 'Live');
  t.deepEqual([entry.result, entry.binds.map(({ driver }) => driver)], ['loaded', ['usherd_packed']]);
});

scenario('while one init sleeps for ten seconds the others go on', async (t, guest) => {
  const slow = await makeDevice(guest, 'usherd-slow');
  await guest.until('grep -q "^usherd_slow .* Loading" /proc/modules');
  await makeDevice(guest, 'usherd-plain');
  await guest.expectBound('platform', 'usherd_plain');
  t.is((await guest.procModules()).get('usherd_slow')?.state, 'Loading');
  await guest.expectBound('platform', 'usherd_slow');
  const [entry] = await guest.storyOf(slow.devpath, slow.fromSeqnum);
  t.deepEqual(
    [entry?.state, entry?.result, entry?.binds.map(({ driver }) => driver)],
    ['ended', 'loaded', ['usherd_slow']],
  );
});

scenario('a change of modprobe.d counts for the next device', async (t, guest) => {
  await guest.run('echo "blacklist usherd_late" >/etc/modprobe.d/late.conf');
  await guest.until('usher history --incidents --json -n 100 | grep -q reload');
  t.is((await offerDevice(guest, 'usherd-late')).result, 'denied');
  t.false((await guest.procModules()).has('usherd_late'));
});

scenario('under lockdown unsigned modules are refused and why says so; Debian’s own still load', async (t, guest) => {
  await guest.run('echo integrity >/sys/kernel/security/lockdown');
  const entry = await offerDevice(guest, 'usherd-locked');
  t.like((await guest.why(entry.event.devpath)).outcomes[0], {
    kind: 'refused',
    errno: 'EPERM',
    meaning: 'the kernel is locked down (integrity): only modules signed by a trusted key load',
  });
  await guest.plug('virtio-rng-pci');
  await guest.expectBound('virtio', 'virtio_rng');
  t.is((await guest.procModules()).get('virtio_rng')?.taint, '');
});

scenario('where signatures are enforced the refusal names that', async (t, guest) => {
  await guest.run('echo 1 >/sys/module/module/parameters/sig_enforce');
  const entry = await offerDevice(guest, 'usherd-unsigned');
  t.like((await guest.why(entry.event.devpath)).outcomes[0], {
    kind: 'refused',
    errno: 'EKEYREJECTED',
    meaning: 'module.sig_enforce is on and the module has no signature by a key the kernel trusts',
  });
});

scenario('once modules are disabled nothing loads, and why says until when', async (t, guest) => {
  await guest.run('echo 1 >/proc/sys/kernel/modules_disabled');
  const plug = await guest.plug('e1000e');
  await guest.until('grep -l 0x10d3 /sys/bus/pci/devices/*/device');
  const [entry] = await guest.history(`--from-seqnum ${plug.fromSeqnum} -a add -m e1000e`);
  t.like((await guest.why(entry?.event.devpath ?? '')).outcomes[0], {
    kind: 'refused',
    module: 'e1000e',
    errno: 'EPERM',
    meaning: 'kernel.modules_disabled is 1: no module loads until the next boot',
  });
  t.false((await guest.procModules()).has('e1000e'));
});
