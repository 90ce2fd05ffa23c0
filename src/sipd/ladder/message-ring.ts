import { type Protocol, protocols } from '../../sip/index.ts';

/** One message as it was on the wire. `remote`: "192.0.2.10:5060". */
export interface Kept {
  readonly atMs: number;
  readonly isSent: boolean;
  readonly protocol: Protocol;
  readonly remote: string;
  readonly bytes: Buffer;
}

/** Length, time, direction and protocol, length of `remote`. */
const headBytes = 4 + 8 + 1 + 1;
/** Where a record would not have fitted: the next one stands at the beginning. */
const goBack = 0;

/**
 * The newest messages, in memory of a fixed size that never reaches a disk by our doing. One copy per message and nothing
 * for the garbage collector to look at: it runs beside every call.
 */
export class MessageRing {
  readonly #room: Buffer;
  /** Of the oldest record, and where the next one goes. */
  #tail = 0;
  #head = 0;
  #count = 0;

  constructor(sizeBytes: number) {
    // The system gives the pages when they are written to.
    this.#room = Buffer.allocUnsafeSlow(sizeBytes);
  }

  get count(): number {
    return this.#count;
  }

  /** The oldest go for it. What is larger than a quarter of all is not kept. */
  put({ atMs, isSent, protocol, remote, bytes }: Kept): void {
    const room = this.#room;
    // More than any address has; letters of one byte each.
    const place = remote.slice(0, 255);
    const size = headBytes + place.length + bytes.length;
    if (size > room.length / 4) return;
    if (this.#head + size > room.length) this.#wrap();
    while (this.#count > 0 && this.#tail >= this.#head && this.#tail < this.#head + size) this.#drop();
    if (this.#count === 0) this.#tail = this.#head;
    let at = room.writeUInt32LE(size, this.#head);
    at = room.writeDoubleLE(atMs, at);
    at = room.writeUInt8((isSent ? 128 : 0) | protocols.indexOf(protocol), at);
    at = room.writeUInt8(place.length, at);
    at += room.write(place, at, 'latin1');
    bytes.copy(room, at);
    this.#head += size;
    this.#count++;
  }

  /** Wipes out what is older. */
  forget(beforeMs: number): void {
    while (this.#count > 0 && this.#room.readDoubleLE(this.#tail + 4) < beforeMs) this.#drop();
  }

  /** The oldest first. The bytes are only good until the next `put`. */
  *all(): Generator<Kept> {
    let at = this.#tail;
    for (let i = 0; i < this.#count; i++) {
      at = this.#start(at);
      const size = this.#room.readUInt32LE(at);
      yield this.#read(at, size);
      at += size;
    }
  }

  #read(at: number, size: number): Kept {
    const room = this.#room;
    const flags = room.readUInt8(at + 12);
    const from = at + headBytes;
    const placeEnd = from + room.readUInt8(at + 13);
    return {
      atMs: room.readDoubleLE(at + 4),
      isSent: (flags & 128) !== 0,
      protocol: protocols[flags & 127] ?? 'udp',
      remote: room.toString('latin1', from, placeEnd),
      bytes: room.subarray(placeEnd, at + size),
    };
  }

  /** Goes on at the beginning: everything behind the head is given up, and it is marked. */
  #wrap(): void {
    while (this.#count > 0 && this.#tail >= this.#head) this.#drop();
    if (this.#head + 4 <= this.#room.length) this.#room.writeUInt32LE(goBack, this.#head);
    this.#head = 0;
  }

  #drop(): void {
    const size = this.#room.readUInt32LE(this.#tail);
    // Nothing of a patient stays behind in memory that nobody reads any more.
    this.#room.fill(1, this.#tail, this.#tail + size);
    this.#tail += size;
    this.#count--;
    if (this.#count > 0) this.#tail = this.#start(this.#tail);
  }

  /** Where the record really begins that follows the one before. */
  #start(at: number): number {
    return at + 4 > this.#room.length || this.#room.readUInt32LE(at) === goBack ? 0 : at;
  }
}
