import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Ways } from '../dialog/ways.ts';
import type { Headers } from '../message/headers.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { callIdOf, type SipRequest } from '../message/sip-message.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import { type HostPort, type Protocol, protocols, type Vantage } from '../transport/flow.ts';

/** Marks a Record-Route as ours, so that we pass on requests of dialogs we have proxied and of no others. */
const markName = 'wl';
const markChars = 32;

/** Over which connection, or from which address, a side was heard. */
export interface Onwards {
  readonly protocol: Protocol;
  readonly remote: HostPort;
}

/** One side of a call that we stay in. */
export interface Side {
  readonly seen: Vantage;
  /** Where it can be reached, if its Contact does not tell. */
  readonly onlyBy: Onwards | undefined;
}

/** The places in Record-Route, Path and Route where this endpoint stands, RFC 3261 16.4 and 16.6. */
export class RecordRoute {
  readonly #ways: Ways;
  readonly #key: KeyObject;

  /** `key`: kept over a restart, calls that were proxied before it go on after it. */
  constructor(ways: Ways, key: Buffer) {
    this.#ways = ways;
    // Made once: Node takes six times as long for a key that it has to make anew.
    this.#key = createSecretKey(key);
  }

  /**
   * Puts us into the way of later requests. Where the two sides see us under different addresses there are two entries,
   * one for each (RFC 5658 3). Where a side is reached by one connection
   * only, its entry tells which (RFC 5626 5.1).
   */
  add(header: 'Record-Route' | 'Path', headers: Headers, callId: string, from: Side, to: Side): void {
    const entries = [...new Set([from, to].map((side) => this.#entry(callId, side)))];
    for (const entry of entries) headers.prepend(header, entry);
  }

  /** Takes our own entries off the top of Route, and gives what the last of them tells of the way onwards. */
  take(request: SipRequest): Onwards | undefined {
    const { headers } = request;
    const routes = headers.list('Route');
    let taken = 0;
    let onwards: Onwards | undefined;
    for (; taken < routes.length; taken++) {
      const uri = uriOf(routes[taken] as string);
      if (uri === undefined || !this.#ways.isOwn(uri)) break;
      onwards = this.#isMarkOf(request, uri) ? onwardsOf(uri.user) : undefined;
    }
    if (taken === 0) return undefined;
    headers.remove('Route');
    for (const route of routes.slice(taken)) headers.add('Route', route);
    return onwards;
  }

  /** Whether the top of Route is an entry of ours that was made for this call. */
  isMarked(request: SipRequest): boolean {
    const top = request.headers.list('Route')[0];
    const uri = top === undefined ? undefined : uriOf(top);
    return uri !== undefined && this.#ways.isOwn(uri) && this.#isMarkOf(request, uri);
  }

  #entry(callId: string, { seen, onlyBy }: Side): string {
    const user = onlyBy === undefined ? '' : textOf(onlyBy);
    const contact = this.#ways.contactFor(seen).replace(/>$/, `;lr;${this.#markOf(callId, user)}>`);
    return user === '' ? contact : contact.replace('<sip:', `<sip:${user}@`);
  }

  #markOf(callId: string, user: string): string {
    const mark = createHmac('sha256', this.#key).update(`${user} ${callId}`).digest('hex').slice(0, markChars);
    return `${markName}=${mark}`;
  }

  #isMarkOf(request: SipRequest, { user = '', params }: SipUri): boolean {
    const expected = Buffer.from(this.#markOf(callIdOf(request), user));
    const actual = Buffer.from(`${markName}=${params.get(markName) ?? ''}`);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }
}

/** In base64url: a protocol, a port and an address. */
function textOf({ protocol, remote: { host, port } }: Onwards): string {
  return Buffer.from(`${protocol} ${port} ${host}`).toString('base64url');
}

function onwardsOf(user: string | undefined): Onwards | undefined {
  const [name, port, host] = Buffer.from(user ?? '', 'base64url')
    .toString('latin1')
    .split(' ');
  const protocol = protocols.find((one) => one === name);
  if (protocol === undefined || host === undefined || port === undefined) return undefined;
  return { protocol, remote: { host, port: Number(port) } };
}

function uriOf(route: string): SipUri | undefined {
  const uri = parseNameAddr(route)?.uri;
  return uri === undefined ? undefined : parseUri(uri);
}
