/**
 * The lite side of ICE, RFC 8445 2.5: it sends no checks of its own, it answers those of the other side, and is told by them
 * from where the sound will come.
 */
import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../media/messages.ts';
import type { IceCredentials, IceSession } from './session.ts';
import {
  ATTRIBUTE,
  BINDING,
  errorCode,
  isIntact,
  readStun,
  type StunMessage,
  writeStun,
  xorMappedAddress,
} from './stun.ts';

export interface CheckAnswer {
  /** To where the check came from. undefined: nothing is answered. */
  readonly response: Buffer | undefined;
  /** From now on the sound goes there and comes from there. */
  readonly isNominated: boolean;
}

/** RFC 8445 5.3 asks for 24 bits and 128 bits. */
export function newIceCredentials(): IceCredentials {
  return { ufrag: randomBytes(6).toString('base64'), pwd: randomBytes(18).toString('base64') };
}

/** Whoever does not know our password is told nothing: there is no way to have us send something to somebody else. */
const SILENCE: CheckAnswer = { response: undefined, isNominated: false };

export class IceLite {
  #session: IceSession;
  /** Until the first check of the new one: the other side goes on with it while a restart is on its way (RFC 8445 9). */
  #before: IceSession | undefined;

  constructor(session: IceSession) {
    this.#session = session;
  }

  restart(session: IceSession): void {
    if (isSame(session, this.#session)) return;
    this.#before = this.#session;
    this.#session = session;
  }

  answer(datagram: Buffer, source: Endpoint): CheckAnswer {
    const message = readStun(datagram);
    // No response is ever expected, and an indication only keeps a NAT open.
    if (message?.type !== BINDING.request || source.port === 0) return SILENCE;
    const session = this.#sessionOf(message);
    if (session === undefined || !isIntact(message, datagram, session.local.pwd)) return SILENCE;
    if (session === this.#session) this.#before = undefined;
    const respond = (type: number, ...attributes: readonly (readonly [number, Buffer])[]): Buffer =>
      writeStun(type, message.transaction, attributes, session.local.pwd);
    const unknown = unknownOf(message);
    if (unknown.length > 0) {
      const names = Buffer.from(Uint16Array.from(unknown).buffer).swap16();
      const why = errorCode(420, 'Unknown Attribute');
      const response = respond(BINDING.error, [ATTRIBUTE.errorCode, why], [ATTRIBUTE.unknownAttributes, names]);
      return { response, isNominated: false };
    }
    // A lite side never controls (RFC 8445 6.1.1): the other one has to change its role (7.3.1.1).
    if (message.attributes.has(ATTRIBUTE.iceControlled)) {
      const response = respond(BINDING.error, [ATTRIBUTE.errorCode, errorCode(487, 'Role Conflict')]);
      return { response, isNominated: false };
    }
    return {
      response: respond(BINDING.success, [ATTRIBUTE.xorMappedAddress, xorMappedAddress(source)]),
      // One of an earlier generation moves nothing any more.
      isNominated: session === this.#session && message.attributes.has(ATTRIBUTE.useCandidate),
    };
  }

  #sessionOf(message: StunMessage): IceSession | undefined {
    const name = message.attributes.get(ATTRIBUTE.username)?.toString('latin1');
    return [this.#session, this.#before].find(
      (session) => session !== undefined && name === `${session.local.ufrag}:${session.remoteUfrag}`,
    );
  }
}

const UNDERSTOOD: readonly number[] = Object.values(ATTRIBUTE);

/** Whoever asks for them must not think that they were done (RFC 8489 6.3.1). */
function unknownOf({ attributes }: StunMessage): readonly number[] {
  return [...attributes.keys()].filter((name) => name < 0x8000 && !UNDERSTOOD.includes(name)).slice(0, 16);
}

function isSame(a: IceSession, b: IceSession): boolean {
  return a.local.ufrag === b.local.ufrag && a.local.pwd === b.local.pwd && a.remoteUfrag === b.remoteUfrag;
}
