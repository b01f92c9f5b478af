/**
 * Keys of a uevent, and attributes of sysfs, whose value tells one device from all others of its kind: serial numbers (ID_SERIAL,
 * ID_SERIAL_SHORT, ID_SCSI_SERIAL, POWER_SUPPLY_SERIAL_NUMBER, serial), unique names (HID_UNIQ, UNIQ), world wide names (ID_WWN, wwid)
 * and hardware addresses (ID_NET_NAME_MAC). The words stand between underscores or at an end.
 */
const IDENTITY_WORDS =
  /(?:^|_)(?:I?SERIAL|SERIALNO|SERIALNUMBER|UNIQ|WWN|WWID|EUI|EUI64|NGUID|MAC|MACADDR|HWADDR|IMEI|IMSI|ICCID)(?:_|$)/i;

/** Names whose answer is kept: the kernel and udev have some hundreds; when full it is emptied. */
const KNOWN_MAX_NAMES = 4096;
const known = new Map<string, boolean>();

/** Whether the value of this key, or attribute, identifies a single device. */
export function isIdentityKey(name: string): boolean {
  const answer = known.get(name);
  if (answer !== undefined) return answer;
  if (known.size >= KNOWN_MAX_NAMES) known.clear();
  const isIdentity = IDENTITY_WORDS.test(name);
  known.set(name, isIdentity);
  return isIdentity;
}
