import type { RuleDevice } from '../rule-context.ts';

/** Bits of a capability, lowest first. Source: Documentation/input/event-codes.rst, include/uapi/linux/input-event-codes.h. */
type Bits = (bit: number) => boolean;

const EV = { key: 1, rel: 2, abs: 3, sw: 5 } as const;
const REL = { x: 0, y: 1, hwheel: 6, wheel: 8 } as const;
const ABS = { x: 0, y: 1, z: 2, rx: 3, pressure: 0x18, mtSlot: 0x2f, mtX: 0x35, mtY: 0x36 } as const;
const PROP = { direct: 1, pointingStick: 5, accelerometer: 6 } as const;
const KEY = {
  ok: 0x160,
  alsToggle: 0x230,
  misc: 0x100,
  btn0: 0x100,
  btn1: 0x101,
  mouse: 0x110,
  joystick: 0x120,
  digi: 0x140,
  toolPen: 0x140,
  toolFinger: 0x145,
  touch: 0x14a,
  stylus: 0x14b,
  dpadUp: 0x220,
  dpadRight: 0x223,
  triggerHappy1: 0x2c0,
  triggerHappy40: 0x2e7,
} as const;

/** Keys by which a keyboard is told that claims some joystick's buttons: left ctrl, caps, num lock, insert, mute, calc, file, mail, play/pause, brightness down. */
const KEYBOARD_KEYS: readonly number[] = [29, 58, 69, 110, 113, 140, 144, 155, 164, 224];
const BUS_I2C = 0x18;

/**
 * An input device, or one below it → ID_INPUT and ID_INPUT_*: mouse, keyboard, tablet, touchpad and so on, from what it says it can send.
 * Its size in millimetres is not asked for: that takes an open node. Source: systemd, input_id.
 */
export function inputId(device: RuleDevice): readonly (readonly [key: string, value: string])[] {
  let input: RuleDevice | undefined = device;
  while (input !== undefined && input.attribute('capabilities/ev') === undefined) input = input.parent;
  const found = ['ID_INPUT'];
  if (input !== undefined) found.push(...kindsOf(input));
  return found.map(key => [key, '1'] as const);
}

function kindsOf(input: RuleDevice): string[] {
  const [ev, abs, rel, key, props] = [
    'capabilities/ev',
    'capabilities/abs',
    'capabilities/rel',
    'capabilities/key',
    'properties',
  ].map(name => bitsOf(input.attribute(name)));
  if (!ev || !abs || !rel || !key || !props) return [];
  const bus = Number.parseInt(input.attribute('id/bustype') ?? '0', 16);
  const pointers = pointerKinds({ ev, abs, rel, key, props, bus });
  const keys = keyKinds(ev, key);
  const isWheel = ev(EV.rel) && (rel(REL.wheel) || rel(REL.hwheel));
  return [
    ...pointers,
    ...keys,
    ...(pointers.length === 0 && keys.length === 0 && isWheel ? ['ID_INPUT_KEY'] : []),
    ...(ev(EV.sw) ? ['ID_INPUT_SWITCH'] : []),
  ];
}

/** Words of 64 bits in hexadecimal, highest first. */
function bitsOf(text: string | undefined): Bits {
  const words = (text ?? '').split(' ').toReversed();
  const masks = words.map(word => (/^[0-9a-fA-F]{1,16}$/.test(word) ? BigInt(`0x${word}`) : 0n));
  return bit => (((masks[Math.floor(bit / 64)] ?? 0n) >> BigInt(bit % 64)) & 1n) === 1n;
}

function anyBit(bits: Bits, first: number, end: number): boolean {
  return countBits(bits, first, end) > 0;
}

function countBits(bits: Bits, first: number, end: number): number {
  let count = 0;
  for (let bit = first; bit < end; bit++) if (bits(bit)) count += 1;
  return count;
}

interface Capabilities {
  readonly ev: Bits;
  readonly abs: Bits;
  readonly rel: Bits;
  readonly key: Bits;
  readonly props: Bits;
  readonly bus: number;
}

function pointerKinds({ ev, abs, rel, key, props, bus }: Capabilities): string[] {
  const hasKeys = ev(EV.key);
  const hasAbsolute = abs(ABS.x) && abs(ABS.y);
  if (props(PROP.accelerometer) || (!hasKeys && hasAbsolute && abs(ABS.z))) return ['ID_INPUT_ACCELEROMETER'];
  const hasPen = key(KEY.toolPen);
  const isPen = key(KEY.stylus) || hasPen;
  const isFinger = key(KEY.toolFinger) && !hasPen;
  const hasMouseButton = anyBit(key, KEY.mouse, KEY.joystick);
  const hasRelative = ev(EV.rel) && rel(REL.x) && rel(REL.y);
  // A device that claims every axis there is has no slots for fingers.
  const hasFingers = abs(ABS.mtX) && abs(ABS.mtY) && !(abs(ABS.mtSlot) && abs(ABS.mtSlot - 1));
  const isDirect = props(PROP.direct);
  const hasTouch = key(KEY.touch);
  const hasPadButtons = key(KEY.btn0) && key(KEY.btn1) && !hasPen;
  const hasWheel = ev(EV.rel) && (rel(REL.wheel) || rel(REL.hwheel));
  const buttons = joystickButtons(key);
  const axes = countBits(abs, ABS.rx, ABS.pressure);
  const isStick = buttons + axes > 0;
  const is = { tablet: false, touchpad: false, mouse: false, touchscreen: false, joystick: false, pad: false };
  if (hasAbsolute) {
    if (isPen) is.tablet = true;
    else if (isFinger && !isDirect) is.touchpad = true;
    else if (hasMouseButton) is.mouse = true;
    else if (hasTouch || isDirect) is.touchscreen = true;
    else is.joystick = isStick;
  } else is.joystick = isStick;
  if (hasFingers) {
    if (isPen) is.tablet = true;
    else if (isFinger && !isDirect) is.touchpad = true;
    else if (hasTouch || isDirect) is.touchscreen = true;
  }
  if (is.tablet && hasPadButtons) is.pad = true;
  if (hasPadButtons && hasWheel && !hasRelative) {
    is.tablet = true;
    is.pad = true;
  }
  let isPointingStick = props(PROP.pointingStick);
  if (!is.tablet && !is.touchpad && !is.joystick && hasMouseButton && (hasRelative || !hasAbsolute)) {
    is.mouse = true;
    // There is no mouse on I2C.
    if (bus === BUS_I2C) isPointingStick = true;
  }
  if (is.joystick && isKeyboardAfterAll(key, hasKeys, buttons + axes, hasWheel && hasPadButtons)) is.joystick = false;
  return [
    ...(isPointingStick ? ['ID_INPUT_POINTINGSTICK'] : []),
    ...(is.mouse ? ['ID_INPUT_MOUSE'] : []),
    ...(is.touchpad ? ['ID_INPUT_TOUCHPAD'] : []),
    ...(is.touchscreen ? ['ID_INPUT_TOUCHSCREEN'] : []),
    ...(is.joystick ? ['ID_INPUT_JOYSTICK'] : []),
    ...(is.tablet ? ['ID_INPUT_TABLET'] : []),
    ...(is.pad ? ['ID_INPUT_TABLET_PAD'] : []),
  ];
}

/** A mouse with more than sixteen buttons runs into the joysticks' range; its sixteenth tells. */
function joystickButtons(key: Bits): number {
  if (key(KEY.joystick - 1)) return 0;
  return (
    countBits(key, KEY.joystick, KEY.digi) +
    countBits(key, KEY.triggerHappy1, KEY.triggerHappy40 + 1) +
    countBits(key, KEY.dpadUp, KEY.dpadRight + 1)
  );
}

function isKeyboardAfterAll(key: Bits, hasKeys: boolean, inputs: number, isTabletPad: boolean): boolean {
  const known = hasKeys ? KEYBOARD_KEYS.filter(code => key(code)).length : 0;
  return known >= 4 || inputs < 2 || isTabletPad;
}

function keyKinds(ev: Bits, key: Bits): string[] {
  if (!ev(EV.key)) return [];
  const hasKeys =
    anyBit(key, 0, KEY.misc) || anyBit(key, KEY.ok, KEY.dpadUp) || anyBit(key, KEY.alsToggle, KEY.triggerHappy1);
  // Escape, the digits and Q to D: what has them all is a whole keyboard.
  const isWhole = countBits(key, 1, 32) === 31;
  return [...(hasKeys ? ['ID_INPUT_KEY'] : []), ...(isWhole ? ['ID_INPUT_KEYBOARD'] : [])];
}
