/** Cuts the control stream into payloads: `<decimal byte length>#<payload>`, nothing in between. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  /** The payloads that are complete; undefined if the peer does not speak the protocol, or sends too much. */
  push(chunk: Buffer, maxBytes: number): Buffer[] | undefined {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const payloads: Buffer[] = [];
    for (;;) {
      const hash = this.#held.indexOf(35);
      if (hash < 0) return this.#held.length > maxDigits || !isDecimal(this.#held) ? undefined : payloads;
      if (hash === 0 || hash > maxDigits || !isDecimal(this.#held.subarray(0, hash))) return undefined;
      const sizeBytes = Number(this.#held.toString('latin1', 0, hash));
      if (sizeBytes === 0 || sizeBytes > maxBytes) return undefined;
      const end = hash + 1 + sizeBytes;
      if (this.#held.length < end) return payloads;
      payloads.push(this.#held.subarray(hash + 1, end));
      this.#held = this.#held.subarray(end);
    }
  }
}

const maxDigits = 7;

function isDecimal(bytes: Buffer): boolean {
  return bytes.every((byte) => byte >= 48 && byte <= 57);
}

/** One frame: the meta line and, if given, the SIP message after it. */
export function frame(meta: string, message?: Buffer): Buffer {
  const metaBytes = Buffer.byteLength(meta);
  const sizeBytes = message === undefined ? metaBytes : metaBytes + 2 + message.length;
  const head = `${sizeBytes}#${meta}${message === undefined ? '' : '\r\n'}`;
  if (message === undefined) return Buffer.from(head);
  const bytes = Buffer.allocUnsafe(String(sizeBytes).length + 1 + sizeBytes);
  message.copy(bytes, bytes.write(head));
  return bytes;
}
