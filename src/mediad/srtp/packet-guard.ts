/** What is done to a leg's packets before they leave and after they came. */
import type { SrtpKeys } from '../media/messages.ts';
import { type SrtpFault, SrtpReceiver, SrtpSender } from './srtp.ts';
import { isSameKey } from './suites.ts';

export type PacketKind = 'rtp' | 'rtcp';

export interface PacketGuard {
  /** undefined: it may not be sent. */
  protect(kind: PacketKind, packet: Buffer): Buffer | undefined;
  unprotect(kind: PacketKind, datagram: Buffer): Buffer | SrtpFault;
}

export const PLAIN: PacketGuard = {
  protect: (_kind, packet) => packet,
  unprotect: (_kind, datagram) => datagram,
};

/** Of a leg whose keys are not agreed on yet: nothing passes in the clear meanwhile. */
export const CLOSED: PacketGuard = {
  protect: () => undefined,
  unprotect: () => 'unauthentic',
};

/** A direction whose key stays goes on where it was: numbers that were sent are not sent again, and what was heard is not heard again. */
export function guardOf(keys: SrtpKeys | undefined, before: PacketGuard): PacketGuard {
  if (keys === undefined) return PLAIN;
  return SrtpGuard.of(keys, before instanceof SrtpGuard ? before : undefined);
}

class SrtpGuard implements PacketGuard {
  readonly #keys: SrtpKeys;
  readonly #sender: SrtpSender;
  readonly #receiver: SrtpReceiver;

  private constructor(keys: SrtpKeys, sender: SrtpSender, receiver: SrtpReceiver) {
    this.#keys = keys;
    this.#sender = sender;
    this.#receiver = receiver;
  }

  static of(keys: SrtpKeys, before: SrtpGuard | undefined): SrtpGuard {
    const { ours, theirs } = keys;
    return new SrtpGuard(
      keys,
      before !== undefined && isSameKey(before.#keys.ours, ours) ? before.#sender : new SrtpSender(ours),
      before !== undefined && isSameKey(before.#keys.theirs, theirs) ? before.#receiver : new SrtpReceiver(theirs),
    );
  }

  protect(kind: PacketKind, packet: Buffer): Buffer | undefined {
    return kind === 'rtp' ? this.#sender.seal(packet) : this.#sender.sealControl(packet);
  }

  unprotect(kind: PacketKind, datagram: Buffer): Buffer | SrtpFault {
    return kind === 'rtp' ? this.#receiver.open(datagram) : this.#receiver.openControl(datagram);
  }
}
