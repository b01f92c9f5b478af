/** `net.ipv4.ip_forward` and `net/ipv4/ip_forward` → the path below /proc/sys. Source: sysctl.d(5), "slashes or dots". */
export function sysctlPath(name: string): string {
  const sign = /[./]/.exec(name)?.[0];
  if (sign !== '.') return name;
  return name.replaceAll(/[./]/g, found => (found === '.' ? '/' : '.'));
}
