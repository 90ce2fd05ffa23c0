import { BlockList, isIP } from 'node:net';

/** Networks of the house itself and of no host (RFC 6890): a plan must not make Wardline ask there by accident. */
const INSIDE: readonly (readonly [net: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

/** Says whether an address may be asked. Throws TypeError for an `allow` that is no network. */
export function guard(allow: readonly string[]): (address: string) => boolean {
  const inside = listOf(INSIDE);
  const allowed = listOf(
    allow.map((text) => {
      const [net = '', bits] = text.split('/');
      const widest = isIP(net) === 6 ? 128 : 32;
      const width = bits === undefined ? widest : Number(bits);
      if (isIP(net) === 0 || width > widest) throw new TypeError(`webhooks.allow: ${text} is no address or network`);
      return [net, width] as const;
    }),
  );
  return (address) => {
    // An IPv4 address in the clothes of IPv6 is that IPv4 address.
    const plain = /^::ffff:([0-9.]+)$/i.exec(address)?.[1] ?? address;
    const family = isIP(plain);
    if (family === 0) return false;
    const is = (list: BlockList): boolean => list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
    return is(allowed) || !is(inside);
  };
}

function listOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, bits] of networks) list.addSubnet(net, bits, isIP(net) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
