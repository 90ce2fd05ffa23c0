import { BlockList, isIPv6 } from 'node:net';

/** Addresses remembered with the answer; whoever comes from more is looked up again. */
const maxRemembered = 10_000;

/** Addresses, and ranges of them as `192.0.2.0/28`. */
export class Trusted {
  readonly #ranges = new BlockList();
  readonly #remembered = new Map<string, boolean>();

  constructor(list: readonly string[]) {
    for (const text of list) {
      const [address = '', bits] = text.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#ranges.addAddress(address, family);
      else this.#ranges.addSubnet(address, Number(bits), family);
    }
  }

  has(host: string): boolean {
    const known = this.#remembered.get(host);
    if (known !== undefined) return known;
    const isTrusted = this.#ranges.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
    if (this.#remembered.size < maxRemembered) this.#remembered.set(host, isTrusted);
    return isTrusted;
  }
}
