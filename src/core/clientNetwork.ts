/**
 * The part of an address that stands for one client: the address itself of IPv4, also inside IPv6; the first four groups
 * of IPv6, in their shortest form, since one household has a whole /64. Other text is left as it is.
 *
 * Viewers are in the log under names derived from this, so its output never changes.
 */
export function clientNetwork(address: string): string {
  const ipv4 = ipv4Of(address);
  if (ipv4 !== undefined) return ipv4;
  const [withoutZone = ''] = address.toLowerCase().split('%');
  const [left = '', right] = withoutZone.split('::', 2);
  const head = groupsOf(left);
  const tail = groupsOf(right ?? '');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail].map((group) => group.replace(/^0+(?=.)/, ''));
  return groups.slice(0, 4).join(':');
}

/** The address of IPv4, if it is one, also inside IPv6, as a dual-stack socket shows it. */
export function ipv4Of(address: string): string | undefined {
  return /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
