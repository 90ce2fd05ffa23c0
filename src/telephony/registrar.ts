import type { Clock } from '../engine/ports.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { Challenger } from './challenger.ts';
import type { SrfRequest, SrfResponse } from './client-libraries/index.ts';
import { parseNameAddr, parseSipUri } from './name-addr.ts';
import { peerOf } from './peer.ts';
import type { Log } from './ports.ts';
import { contactHeader, type Registrations } from './registrations.ts';

/** REGISTER (RFC 3261 10.3): who it is, whether it is its own extension, then the contacts. */
export class Registrar {
  readonly #authenticator: Authenticator;
  readonly #registrations: Registrations;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #challenger: Challenger;

  readonly #onRegistered: (extension: string) => void;

  /** `onRegistered`: after the answer to each REGISTER that leaves a contact. */
  constructor(parts: {
    authenticator: Authenticator;
    registrations: Registrations;
    clock: Clock;
    log: Log;
    onRegistered: (extension: string) => void;
  }) {
    this.#onRegistered = parts.onRegistered;
    this.#authenticator = parts.authenticator;
    this.#registrations = parts.registrations;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#challenger = new Challenger(parts);
  }

  close(): void {
    this.#challenger.close();
  }

  /** `server`: the signalling server that it came through. */
  register(server: string, request: SrfRequest, response: SrfResponse): void {
    const source = peerOf(request);
    const result = this.#authenticator.check({
      method: 'REGISTER',
      authorization: request.get('Authorization') ?? request.get('Proxy-Authorization') ?? '',
      sourceIp: source.ip,
      userAgent: request.get('User-Agent') ?? '',
    });
    if (result.kind !== 'known') return this.#challenger.refuse(response, result, source);

    const { extension } = result;
    const to = parseSipUri(parseNameAddr(request.get('To') ?? '')?.uri ?? '');
    // Whose contact it is cannot be read: that is no question of who may (RFC 4475 3.3.4).
    if (to === null || to.scheme === 'tel') return response.send(400, 'To is no SIP address', {});
    if (to.user !== extension) return response.send(403, 'To is not the authenticated user', {});
    const required = request.get('Require');
    if (required !== undefined) {
      return response.send(420, undefined, { headers: { Unsupported: required.slice(0, 256) } });
    }

    const answer = this.#registrations.apply({
      extension,
      contact: request.get('Contact') ?? '',
      expires: request.get('Expires') ?? '',
      callId: (request.get('Call-ID') ?? '').slice(0, 256),
      cseq: Number.parseInt(request.get('CSeq') ?? '0', 10),
      userAgent: request.get('User-Agent') ?? '',
      server,
      source,
    });
    switch (answer.kind) {
      case 'ok': {
        const contacts = answer.bindings.length;
        const verb = contacts === 0 ? 'phone unregistered' : 'phone registered';
        this.#log.info({ extension, contacts, protocol: source.protocol }, verb);
        const contact = contactHeader(answer.bindings, this.#clock.now());
        response.send(200, undefined, { headers: contact === '' ? {} : { Contact: contact } });
        if (contacts > 0) this.#onRegistered(extension);
        return;
      }
      case 'badRequest':
        return response.send(400, answer.why, {});
      case 'tooBrief':
        return response.send(423, undefined, { headers: { 'Min-Expires': String(answer.minExpires) } });
      case 'outOfOrder':
        return response.send(500, 'Overtaken by a newer REGISTER', {});
    }
  }
}
