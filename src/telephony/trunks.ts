import { BlockList, isIP } from 'node:net';
import { parseSipUri } from './name-addr.ts';
import type { TrunkOptions } from './options.ts';
import type { PeerAddress } from './ports.ts';

/** Outside lines by name: who may bring calls in, and why one cannot take calls out. */
export class Trunks {
  readonly #trunks: Readonly<Record<string, TrunkOptions>>;
  readonly #sources: readonly { readonly trunk: string; readonly allows: (peer: PeerAddress) => boolean }[];

  /** Throws for an `allowFrom` that is no address. */
  constructor(trunks: Readonly<Record<string, TrunkOptions>>) {
    this.#trunks = trunks;
    this.#sources = Object.entries(trunks).flatMap(([trunk, { allowFrom }]) =>
      allowFrom.map((text) => ({ trunk, allows: matcher(trunk, text) })),
    );
  }

  /** The trunk a packet's source belongs to. A trunk is known by its address alone. */
  from(peer: PeerAddress): string | undefined {
    return this.#sources.find((source) => source.allows(peer))?.trunk;
  }

  get(trunk: string): TrunkOptions | undefined {
    return Object.hasOwn(this.#trunks, trunk) ? this.#trunks[trunk] : undefined;
  }

  /** null: usable; otherwise why not and what to set. */
  fault(trunk: string): string | null {
    const options = this.get(trunk);
    if (options === undefined) return `no trunk is called ${trunk}: set trunks.${trunk}.target`;
    if (options.target === undefined) return `trunk ${trunk} is not configured: set trunks.${trunk}.target`;
    return null;
  }

  /** Host of the target, '' without one. */
  hostOf(trunk: string): string {
    return parseSipUri(this.get(trunk)?.target ?? '')?.host ?? '';
  }

  /** Request-URI for the trunk itself. */
  uri(trunk: string): string {
    return this.get(trunk)?.target ?? '';
  }

  /** Request-URI for a number as the trunk wants it. */
  uriFor(trunk: string, number: string): string {
    const target = this.get(trunk)?.target ?? '';
    return `sip:${number}@${target.slice('sip:'.length)}`;
  }
}

function matcher(trunk: string, text: string): (peer: PeerAddress) => boolean {
  const withPort = /^(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+)):(\d{1,5})$/.exec(text);
  if (withPort) {
    const ip = withPort[1] ?? withPort[2] ?? '';
    return and(addressMatcher(trunk, text, ip), (peer) => peer.port === Number(withPort[3]));
  }
  return addressMatcher(trunk, text, text);
}

function addressMatcher(trunk: string, text: string, address: string): (peer: PeerAddress) => boolean {
  const [net = '', bits] = address.split('/');
  const family = isIP(net) === 4 ? 'ipv4' : 'ipv6';
  const widest = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? widest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (isIP(net) === 0 || prefix < 0 || prefix > widest) {
    throw new TypeError(
      `trunks.${trunk}.allowFrom: ${text} is no address; write 192.0.2.10, 192.0.2.0/28 or 192.0.2.10:5060`,
    );
  }
  const list = new BlockList();
  list.addSubnet(net, prefix, family);
  return (peer) => list.check(peer.ip, isIP(peer.ip) === 6 ? 'ipv6' : 'ipv4');
}

function and(...all: readonly ((peer: PeerAddress) => boolean)[]): (peer: PeerAddress) => boolean {
  return (peer) => all.every((one) => one(peer));
}
