import { phi } from '../core/phi/index.ts';
import type { Caller } from '../core/call/index.ts';
import type { CallSink, NewCall } from '../engine/ports.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { Call } from './call.ts';
import { CallerLeg } from './caller-leg.ts';
import type { CallerEvents } from './caller-side.ts';
import { Challenger } from './challenger.ts';
import type { SrfRequest, SrfResponse } from './client-libraries/index.ts';
import { LegNames } from './leg-names.ts';
import type { CallMedia } from './media.ts';
import { cipherFor, isDowngrade, needsSrtp } from './media-cipher.ts';
import { parseNameAddr, parseSipUri } from './name-addr.ts';
import { ownText } from './own-text.ts';
import { peerOf } from './peer.ts';
import { hopsLeft } from './places.ts';
import type { PeerAddress } from './ports.ts';
import { sdpFacts } from './sdp.ts';
import { allow, type Shell } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

/** A new INVITE becomes a call of the engine, or is refused at the door with the status that says why. */
export class Inbound {
  readonly #shell: Shell;
  readonly #authenticator: Authenticator;
  readonly #sink: CallSink;
  readonly #challenger: Challenger;
  /** Live calls by what makes their INVITE this one and no other. */
  readonly #calls = new Map<string, Call>();

  constructor(shell: Shell, authenticator: Authenticator, sink: CallSink) {
    this.#shell = shell;
    this.#authenticator = authenticator;
    this.#sink = sink;
    this.#challenger = new Challenger(shell);
  }

  get liveCalls(): number {
    return this.#calls.size;
  }

  close(): void {
    for (const call of this.#calls.values()) call.close();
    this.#challenger.close();
  }

  /** `link`: the signalling server that brought it. */
  invite(link: SignallingLink, request: SrfRequest, response: SrfResponse): void {
    const peer = peerOf(request);
    // Inside a dialog that nobody here knows (RFC 3261 12.2.2).
    if (/;\s*tag=/i.test(request.get('To') ?? '')) return response.send(481, undefined, {});
    if (!request.has('Contact')) return response.send(400, 'Missing Contact', {});

    const key = `${link.name} ${keyOf(request, peer)}`;
    if (this.#calls.get(key)?.adopt(request, response)) return;

    const caller = this.#caller(request, response, peer);
    if (caller === null || this.#refusedForm(request, response) || this.#refusedClear(caller, request, response))
      return;
    const dialled = dialledNumber(request.uri);
    if (dialled === null) return response.send(484, undefined, {});
    this.#arrive(key, link, request, response, {
      caller,
      dialled: ownText(dialled),
      peer: `${peer.ip}:${peer.port}/${peer.protocol}`,
      sipCallId: ownText((request.get('Call-ID') ?? '').slice(0, 256)),
    });
  }

  #arrive(key: string, link: SignallingLink, request: SrfRequest, response: SrfResponse, newCall: NewCall): void {
    const names = new LegNames(this.#shell.random);
    const media = this.#shell.media.forCall(link, names);
    const begun = {
      names,
      media,
      hopsLeft: hopsLeft(request.get('Max-Forwards')),
      side: this.#side(link, media, request, response),
    };
    const call: Call = new Call(this.#shell, begun, () => {
      if (this.#calls.get(key) === call) this.#calls.delete(key);
    });
    this.#calls.set(key, call);
    const answer = this.#sink.callArrived(newCall, call);
    if (answer.kind === 'taken') return call.taken(answer.callId, (event) => answer.emit(event));
    this.#calls.delete(key);
    response.send(answer.sipStatus, undefined, answer.sipStatus === 503 ? { headers: { 'Retry-After': '5' } } : {});
  }

  /** Apart from what lasts as long as the call: the closures made in one function keep all that any of them needs. */
  #side(link: SignallingLink, media: CallMedia, request: SrfRequest, response: SrfResponse) {
    return (events: CallerEvents) => new CallerLeg(this.#shell, { link, media }, request, response, events);
  }

  /** null: it has been answered. A source that belongs to a trunk is that trunk and can never be an extension. */
  #caller(request: SrfRequest, response: SrfResponse, peer: PeerAddress): Caller | null {
    const trunk = this.#shell.trunks.from(peer);
    if (trunk !== undefined) return { from: { kind: 'trunk', trunk }, number: callingNumber(request) };

    const result = this.#authenticator.check({
      method: 'INVITE',
      authorization: request.get('Authorization') ?? request.get('Proxy-Authorization') ?? '',
      sourceIp: peer.ip,
      userAgent: request.get('User-Agent') ?? '',
    });
    if (result.kind !== 'known') {
      this.#challenger.refuse(response, result, peer);
      return null;
    }
    const from = parseSipUri(parseNameAddr(request.get('From') ?? '')?.uri ?? '');
    if (from?.user !== result.extension) {
      response.send(403, 'From is not the authenticated user', {});
      return null;
    }
    return { from: { kind: 'phone', extension: result.extension }, number: null };
  }

  /** true: it has been refused. An INVITE without a description is fine: the offer is then ours (RFC 3264 4). */
  #refusedForm(request: SrfRequest, response: SrfResponse): boolean {
    const required = [request.get('Require'), request.get('Proxy-Require')].filter((tags) => tags !== undefined);
    if (required.length > 0) {
      response.send(420, undefined, { headers: { Unsupported: required.join(', ').slice(0, 256) } });
      return true;
    }
    if (request.body === '') return false;
    const type = (request.get('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/sdp') {
      response.send(415, undefined, { headers: { Accept: 'application/sdp' } });
      return true;
    }
    if (sdpFacts(request.body).hasAudio) return false;
    response.send(488, undefined, {});
    return true;
  }

  /** true: it has been refused, for what is said would be in the clear. An offer of ours asks for SRTP itself. */
  #refusedClear({ from }: Caller, request: SrfRequest, response: SrfResponse): boolean {
    const peer = peerOf(request);
    const { log, options } = this.#shell;
    if (from.kind !== 'phone' || request.body === '') return false;
    if (!isDowngrade(cipherFor(peer, options.sip), sdpFacts(request.body).cipher)) return false;
    log.warn(
      { extension: from.extension, protocol: peer.protocol },
      'call refused: the phone does not encrypt its sound',
    );
    response.send(488, 'SRTP required', {
      headers: { Warning: `399 ${options.sip.realm} "The phone has ${needsSrtp}"` },
    });
    return true;
  }
}

/** Requests outside calls that a PBX of this kind does not take: said so, with what it does take. */
export function refuseMethod(request: SrfRequest, response: SrfResponse): void {
  if (request.method === 'ACK' || request.method === 'CANCEL') return;
  if (request.method === 'OPTIONS') {
    return response.send(200, undefined, { headers: { Allow: allow, Accept: 'application/sdp' } });
  }
  // The dialog it belongs to is not ours, or is over.
  if (isInDialog(request)) return response.send(481, undefined, {});
  response.send(405, undefined, { headers: { Allow: allow } });
}

export function isInDialog(request: SrfRequest): boolean {
  return /;\s*tag=/i.test(request.get('To') ?? '');
}

/** Call-ID, From (with its tag), CSeq and source: the same only for one and the same INVITE (RFC 3261 8.2.2.2). */
function keyOf(request: SrfRequest, peer: PeerAddress): string {
  const said = ['Call-ID', 'From', 'CSeq'].map((name) => request.get(name) ?? '');
  return [...said, peer.ip, String(peer.port)].join(' ');
}

/** As dialled, without the dots and dashes people write; null when there is nothing dialable. */
function dialledNumber(requestUri: string): string | null {
  const user = parseSipUri(requestUri)?.user ?? '';
  const number = /^\+?[\d\s().-]+$/.test(user) ? user.replace(/[\s().-]/g, '') : user;
  return /^[+*#0-9A-Za-z._-]{1,64}$/.test(number) ? number : null;
}

/** The number a trunk vouches for, else the one it shows; null when withheld (RFC 3323 4.1.1.3). */
function callingNumber(request: SrfRequest): Caller['number'] {
  const shown =
    parseNameAddr(request.get('P-Asserted-Identity')?.split(',', 1)[0] ?? '') ??
    parseNameAddr(request.get('From') ?? '');
  const user = parseSipUri(shown?.uri ?? '')?.user ?? '';
  return user === '' || user.toLowerCase() === 'anonymous' ? null : phi(user.slice(0, 64));
}
