import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Ways } from '../dialog/ways.ts';
import type { Headers } from '../message/headers.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { callIdOf, type SipRequest } from '../message/sip-message.ts';
import { parseUri, type SipUri } from '../message/uri.ts';
import type { Vantage } from '../transport/flow.ts';

/** Marks a Record-Route as ours, so that we pass on requests of dialogs we have proxied and of no others. */
const markName = 'wl';
const markChars = 32;

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
   * one for each (RFC 5658 3).
   */
  add(header: 'Record-Route' | 'Path', headers: Headers, callId: string, from: Vantage, to: Vantage): void {
    const mark = this.#markOf(callId);
    const entries = [...new Set([from, to].map((side) => this.#ways.contactFor(side).replace(/>$/, `;lr;${mark}>`)))];
    for (const entry of entries) headers.prepend(header, entry);
  }

  /** Takes our own entries off the top of Route. True if one of them was made for this call. */
  take(request: SipRequest): boolean {
    const { headers } = request;
    const routes = headers.list('Route');
    let taken = 0;
    let isMarked = false;
    for (; taken < routes.length; taken++) {
      const uri = uriOf(routes[taken] as string);
      if (uri === undefined || !this.#ways.isOwn(uri)) break;
      isMarked ||= this.#isMarkOf(callIdOf(request), uri.params.get(markName));
    }
    if (taken === 0) return false;
    headers.remove('Route');
    for (const route of routes.slice(taken)) headers.add('Route', route);
    return isMarked;
  }

  /** As `take`, without taking anything. */
  isMarked(request: SipRequest): boolean {
    const top = request.headers.list('Route')[0];
    const uri = top === undefined ? undefined : uriOf(top);
    return uri !== undefined && this.#ways.isOwn(uri) && this.#isMarkOf(callIdOf(request), uri.params.get(markName));
  }

  #markOf(callId: string): string {
    const mark = createHmac('sha256', this.#key).update(callId).digest('hex').slice(0, markChars);
    return `${markName}=${mark}`;
  }

  #isMarkOf(callId: string, given: string | undefined): boolean {
    const expected = Buffer.from(this.#markOf(callId));
    const actual = Buffer.from(`${markName}=${given ?? ''}`);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }
}

function uriOf(route: string): SipUri | undefined {
  const uri = parseNameAddr(route)?.uri;
  return uri === undefined ? undefined : parseUri(uri);
}
