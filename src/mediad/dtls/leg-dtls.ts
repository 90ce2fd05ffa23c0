/** DTLS of one leg, over all its descriptions: who we are to the other side, and the handshake that its last one asks for. */
import { newIceCredentials } from '../ice/ice-lite.ts';
import type { IceCredentials, IceSession } from '../ice/session.ts';
import type { KeyAgreement } from '../media/leg-media.ts';
import type { SrtpKeys } from '../media/messages.ts';
import type { AgreedDtls, LocalDtls } from '../sdp/dtls-lines.ts';
import { isSameList } from './fingerprint.ts';
import { Handshake, type HandshakeEvents } from './handshake.ts';
import { ourIdentity } from './identity.ts';

export class LegDtls implements KeyAgreement {
  readonly #events: HandshakeEvents;
  #handshake: Handshake | undefined;
  #agreed: AgreedDtls | undefined;
  #keys: SrtpKeys | undefined;
  #ice: IceCredentials | undefined;
  /** What `#ice` is for. */
  #remoteUfrag: string | undefined;
  #isClosed = false;

  constructor(events: HandshakeEvents) {
    this.#events = events;
  }

  /** Throws DtlsUnavailable. */
  get local(): LocalDtls {
    const { fingerprint } = ourIdentity();
    return { fingerprint, role: this.#agreed?.role, ice: (remoteUfrag) => this.#credentialsFor(remoteUfrag) };
  }

  /** Of what was agreed last; undefined: not agreed on yet. */
  get keys(): SrtpKeys | undefined {
    return this.#keys;
  }

  /** undefined: the other side has none. */
  get ice(): IceSession | undefined {
    const remoteUfrag = this.#agreed?.remoteUfrag;
    return remoteUfrag === undefined ? undefined : { local: this.#credentialsFor(remoteUfrag), remoteUfrag };
  }

  /** The keys stay while the other side is who it was (RFC 8842 4): an ICE restart alone changes only the way. */
  agree(agreed: AgreedDtls): void {
    const before = this.#agreed;
    this.#agreed = agreed;
    const isSame = before?.role === agreed.role && isSameList(before.fingerprints, agreed.fingerprints);
    if (isSame || this.#isClosed) return;
    this.#handshake?.close();
    this.#keys = undefined;
    this.#handshake = new Handshake(agreed.role, agreed.fingerprints, {
      send: (datagram) => this.#events.send(datagram),
      failed: (reason) => this.#events.failed(reason),
      agreed: (keys) => {
        this.#keys = keys;
        this.#events.agreed(keys);
      },
    });
  }

  /** Once the media thread knows of what was agreed. */
  start(): void {
    this.#handshake?.start();
  }

  receive(datagram: Buffer): void {
    this.#handshake?.receive(datagram);
  }

  close(): void {
    this.#isClosed = true;
    this.#handshake?.close();
  }

  /** RFC 8839 4.4.1.1.1: another ufrag of theirs is a restart, and is answered with another one of ours. */
  #credentialsFor(remoteUfrag: string | undefined): IceCredentials {
    const isRestart = remoteUfrag !== undefined && this.#remoteUfrag !== undefined && remoteUfrag !== this.#remoteUfrag;
    if (this.#ice === undefined || isRestart) this.#ice = newIceCredentials();
    this.#remoteUfrag = remoteUfrag ?? this.#remoteUfrag;
    return this.#ice;
  }
}
