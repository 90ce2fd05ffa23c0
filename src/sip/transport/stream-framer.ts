import { defaultMessageLimits } from '../message/limits.ts';
import { parseContentLength } from '../message/parse-message.ts';
import { headerName } from '../message/header-names.ts';

export type Frame =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** RFC 5626 3.5.1: two empty lines ask for one back. */
  | { readonly kind: 'ping' }
  /** Framing is lost; answer what can be answered, then close. */
  | { readonly kind: 'broken'; readonly bytes: Buffer; readonly why: string };

const NO_ROOM = Buffer.alloc(0);

/** Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 18.3). */
export class StreamFramer {
  /** Holds a message that comes in pieces, with room for more: copied whole for each piece, small ones cost the square. */
  #room: Buffer = NO_ROOM;
  #held: Buffer = Buffer.alloc(0);
  #isBroken = false;
  readonly #maxBytes: number;

  constructor(maxBytes = defaultMessageLimits.messageBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a message has begun and not ended. A line end by itself is none: some keep their way open by it. */
  get isMidMessage(): boolean {
    const held = this.#held;
    return held.length > 0 && !(held.length === 2 && held[0] === 13 && held[1] === 10);
  }

  push(chunk: Buffer): Frame[] {
    if (this.#isBroken) return [];
    this.#held = this.#held.length === 0 ? chunk : this.#with(chunk);
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.#next();
      if (frame === undefined) {
        if (this.#held.length === 0) this.#room = NO_ROOM;
        return frames;
      }
      frames.push(frame);
      if (frame.kind === 'broken') {
        this.#isBroken = true;
        this.#held = Buffer.alloc(0);
        return frames;
      }
    }
  }

  /** What is held and `chunk`. Only behind what was given out before is anything written. */
  #with(chunk: Buffer): Buffer {
    const held = this.#held;
    const size = held.length + chunk.length;
    let at = held.byteOffset;
    if (held.buffer !== this.#room.buffer || at + size > this.#room.length) {
      // Of its own, so that it begins where its memory begins.
      this.#room = Buffer.allocUnsafeSlow(2 * size);
      held.copy(this.#room);
      at = 0;
    }
    chunk.copy(this.#room, at + held.length);
    return this.#room.subarray(at, at + size);
  }

  #next(): Frame | undefined {
    const held = this.#held;
    if (held.length >= 4 && held.readUInt32BE(0) === 0x0d0a0d0a) {
      this.#held = held.subarray(4);
      return { kind: 'ping' };
    }
    // A single empty line before a message is ignored, RFC 3261 7.5; alone it may be half a ping.
    if (held.length > 2 && held[0] === 13 && held[1] === 10 && held[2] !== 13) {
      this.#held = held.subarray(2);
      return this.#next();
    }
    const blank = held.indexOf('\r\n\r\n');
    if (blank < 0) return held.length > this.#maxBytes ? this.#broken('head too large') : undefined;
    const length = contentLength(held.toString('latin1', 0, blank));
    if (length === undefined) return this.#broken('malformed Content-Length');
    const total = blank + 4 + length;
    if (total > this.#maxBytes) return this.#broken('message too large');
    if (held.length < total) return undefined;
    this.#held = held.subarray(total);
    return { kind: 'message', bytes: held.subarray(0, total) };
  }

  #broken(why: string): Frame {
    return { kind: 'broken', bytes: this.#held, why };
  }
}

function contentLength(head: string): number | undefined {
  const lengths: string[] = [];
  let at = 0;
  while (at >= 0 && at < head.length) {
    const end = head.indexOf('\r\n', at);
    const line = end < 0 ? head.slice(at) : head.slice(at, end);
    const first = line.charCodeAt(0) | 32;
    // Only names that begin with c or l can be Content-Length or its short form.
    if (first === 99 || first === 108) {
      const colon = line.indexOf(':');
      if (colon > 0 && headerName(line.slice(0, colon).trimEnd()).key === 'content-length') {
        lengths.push(line.slice(colon + 1).trim());
      }
    }
    at = end < 0 ? -1 : end + 2;
  }
  return parseContentLength(lengths);
}
