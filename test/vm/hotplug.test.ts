import { guestFor } from './scenario.ts';
import { insertedBy } from './told.ts';

const scenario = await guestFor({});

scenario('coldplug', async (t, guest) => {
  await guest.startUsherd();
  t.log(await guest.run('cat /proc/modules | cut -d" " -f1 | tr "\\n" " "; cat /run/usherd.log'));
  const stick = await guest.plug('usb-storage');
  const bound = await guest.expectBound('usb', 'usb-storage');
  t.log(bound);
  const h = await guest.history(`-d ${bound[0]?.devpath ?? ''}`);
  t.log(h.map(e => [e.event.action, e.result, insertedBy(e), e.binds]));
  await guest.unplug(stick);
  t.pass();
});
