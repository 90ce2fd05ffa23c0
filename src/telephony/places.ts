import type { LegResult, LegTarget } from '../core/call/index.ts';
import type { Headers, UacOptions } from './client-libraries/index.ts';
import type { LegNames } from './leg-names.ts';
import { type Cipher, cipherOffered, ciphersFor } from './media-cipher.ts';
import { parseSipUri } from './name-addr.ts';
import type { ContactBinding } from './ports.ts';
import type { Shell } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

/** What a leg needs to know of the INVITE that it is rung for. */
export interface CallersInvite {
  /** The caller's description, for direct media; '' makes the leg anchored. */
  readonly offer: string;
  /** What the caller's own phone has to use. */
  readonly cipher: Cipher;
  /** How many more servers the call may pass (RFC 3261 8.1.1.6). */
  readonly hopsLeft: number;
  /** For the INVITEs of this leg. */
  readonly names: LegNames;
}

/** RFC 3261 8.1.1.6 recommends it. */
const mostHops = 70;

/** From the caller's Max-Forwards, if that is not too much. */
export function hopsLeft(maxForwards = ''): number {
  return /^\d{1,3}$/.test(maxForwards) ? Math.min(Number(maxForwards), mostHops) : mostHops;
}

/** Where an INVITE goes, and through which signalling server. */
export interface Place {
  readonly link: SignallingLink;
  readonly uri: string;
  readonly options: UacOptions;
  readonly cipher: Cipher;
}

/** Why the party cannot be rung at all; null: it can. */
export function faultOf({ trunks, registrations }: Shell, target: LegTarget, hopsLeft: number): LegResult | null {
  // It has come back to us again and again: a number that is forwarded to itself would fill every line.
  if (hopsLeft <= 0) return { kind: 'unreachable', sipStatus: 483 };
  if (target.kind === 'number') {
    const why = trunks.fault(target.trunk);
    return why === null ? null : { kind: 'trunkUnavailable', why };
  }
  return registrations.of(target.extension).length === 0 ? { kind: 'notRegistered' } : null;
}

/** How the sound of each place where the party may be travels, each way once. A carrier's is its own business. */
export function ciphersOf({ registrations, options }: Shell, target: LegTarget): readonly Cipher[] {
  return target.kind === 'number' ? ['none'] : ciphersFor(registrations.of(target.extension), options.sip);
}

/**
 * Every place where the party may be that one of the `offers` is for. `headers` count for all of them, the Call-ID is
 * each one's own.
 */
export function placesOf(
  shell: Shell,
  target: LegTarget,
  {
    names,
    headers,
    offers,
  }: Pick<CallersInvite, 'names'> & { readonly headers: Headers; readonly offers: ReadonlyMap<Cipher, string> },
): readonly Place[] {
  // Each INVITE gets objects of its own: the library writes into the headers it is given.
  const fresh = (localSdp: string): UacOptions => ({ localSdp, headers: { ...headers, ...names.next() } });
  const { signalling, trunks } = shell;
  if (target.kind === 'number') {
    const { trunk, e164, dial = e164 } = target;
    const username = trunks.get(trunk)?.username;
    const password = shell.trunkPassword(trunk);
    const auth = username !== undefined && password !== undefined ? { auth: { username, password } } : {};
    const offer = offers.get('none') ?? '';
    const options = { ...fresh(offer), ...auth };
    return [{ link: signalling.forTrunk(), uri: trunks.uriFor(trunk, dial), options, cipher: 'none' }];
  }
  return shell.registrations.of(target.extension).flatMap((binding) => {
    const proxy = nextHop(binding);
    const cipher = cipherOffered(binding, shell.options.sip);
    const offer = offers.get(cipher);
    // It has registered since the offers were made.
    if (offer === undefined) return [];
    return {
      link: signalling.forPhone(binding),
      uri: requestUri(binding.uri),
      options: { ...fresh(offer), ...(proxy === null ? {} : { proxy }) },
      cipher,
    };
  });
}

/** Whoever of them answers, the sound comes from one of these. */
export function hostsOf({ trunks, registrations }: Shell, target: LegTarget): readonly string[] {
  if (target.kind === 'number') return [trunks.hostOf(target.trunk)];
  return registrations.of(target.extension).map(({ source }) => source.ip);
}

/** A Contact as it may be asked for: the headers that it would put into our requests stay out (RFC 3261 19.1.1). */
export function requestUri(contact: string): string {
  const headers = contact.indexOf('?', contact.indexOf('@') + 1);
  return headers < 0 ? contact : contact.slice(0, headers);
}

/**
 * Where to send when the Contact itself cannot be reached: behind a NAT it names another host than the one that
 * registered. A phone on TCP is reached through its own connection, which the signalling server finds by the Contact.
 */
export function nextHop({ uri, source }: Pick<ContactBinding, 'uri' | 'source'>): string | null {
  const contact = parseSipUri(uri);
  if (source.protocol !== 'udp' || contact?.host === source.ip.toLowerCase()) return null;
  const host = source.ip.includes(':') ? `[${source.ip}]` : source.ip;
  return `sip:${host}:${source.port}`;
}
