/** What a USB device says of itself before any driver has seen it. */
export interface UsbIdentity {
  /** Four hexadecimal digits, small letters: `0951`. */
  readonly vendor: string;
  readonly product: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly productName?: string;
  /** Where it is plugged in: `1-2.4`, bus and ports. */
  readonly port: string;
  /** `class:subclass:protocol` of every interface in every setting, each once, sorted: `08:06:50`. */
  readonly interfaces: readonly string[];
  /** SHA-256 of all its descriptors, in hexadecimal: two devices with the same serial and other interfaces differ here. */
  readonly descriptorsSha256: string;
}

/** A device as sysfs describes it at one moment. */
export interface PluginDevice {
  /** Below /sys: `/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0`. */
  readonly devpath: string;
  readonly subsystem: string;
  readonly modalias?: string;
  /** The driver bound to it. */
  readonly driver?: string;
  /** DEVTYPE of its uevent file: `usb_interface`, `disk`. */
  readonly devtype?: string;
  /** DEVNAME, without /dev/. */
  readonly devname?: string;
  /** Of the USB device it is or is part of; there when the hook's `wants` has `usb`. */
  readonly usb?: UsbIdentity;
  /** Of those sysfs attributes that the hook's `wants` names as `attr:NAME`, the ones the device has. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One uevent, as the kernel or udev sent it. */
export interface PluginEvent {
  readonly action: 'add' | 'remove' | 'change' | 'move' | 'online' | 'offline' | 'bind' | 'unbind';
  readonly devpath: string;
  readonly subsystem: string;
  /** Absent on events the kernel never numbered: those of coldplug and resync. */
  readonly seqnum?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly origin: 'kernel' | 'coldplug' | 'resync' | 'replay' | 'injected' | 'udev';
  /** Milliseconds since 1970. */
  readonly receivedAtMs: number;
}
