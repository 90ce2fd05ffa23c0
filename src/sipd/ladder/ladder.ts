import { createHash } from 'node:crypto';
import { type Clock, hostPortText, parseMessage, type SipMessage, type Timer, type Vantage } from '../../sip/index.ts';
import type { LadderAnswer, LadderQuestion, Rung } from './answer.ts';
import { maskedStartLine, maskedText, userShown } from './masked.ts';
import { type Kept, MessageRing } from './message-ring.ts';

/** More is nothing that a person reads, and an answer must fit into a frame of the control protocol. */
const maxRungs = 1_000;
const maxChars = 8 * 1024 * 1024;
const forgetEveryMs = 60_000;

/** Remembers what calls have said, for a bounded time in bounded memory, and tells it without names and secrets. */
export class Ladder {
  readonly #ring: MessageRing;
  readonly #clock: Clock;
  readonly #keepMs: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, { sizeBytes, keepMs }: { readonly sizeBytes: number; readonly keepMs: number }) {
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#ring = new MessageRing(sizeBytes);
    this.#forgetLater();
  }

  /** As a `WireTap`. What is no part of a call is not kept: registrations of a large house would leave no room. */
  see(isSent: boolean, bytes: Buffer, { protocol, remote }: Vantage): void {
    if (isAside(bytes)) return;
    const place = hostPortText(remote.host, remote.port);
    this.#ring.put({ atMs: this.#clock.now(), isSent, protocol, remote: place, bytes });
  }

  /** The messages of a call in the order in which they were seen. */
  tell({ callIds, prefix }: LadderQuestion): LadderAnswer {
    this.#forget();
    const needles = [...callIds, ...(prefix === undefined ? [] : [`${prefix}.`])].map((text) => Buffer.from(text));
    const rungs: Rung[] = [];
    let sinceMs: number | null = null;
    let chars = 0;
    for (const kept of this.#ring.all()) {
      sinceMs ??= kept.atMs;
      // Most belong to other calls: they are not taken apart.
      if (!needles.some((needle) => kept.bytes.includes(needle))) continue;
      const message = messageOf(kept);
      const callId = message?.headers.get('Call-ID') ?? '';
      const isOfCall = callIds.includes(callId) || (prefix !== undefined && callId.startsWith(`${prefix}.`));
      if (message === undefined || !isOfCall) continue;
      if (rungs.length === maxRungs || chars > maxChars) return { rungs, isCut: true, sinceMs, keepMs: this.#keepMs };
      const rung = rungOf(kept, message);
      chars += rung.text.length;
      rungs.push(rung);
    }
    return { rungs, isCut: false, sinceMs, keepMs: this.#keepMs };
  }

  close(): void {
    this.#timer?.stop();
    this.#ring.forget(Number.POSITIVE_INFINITY);
  }

  #forget(): void {
    this.#ring.forget(this.#clock.now() - this.#keepMs);
  }

  #forgetLater(): void {
    this.#timer = this.#clock.after(forgetEveryMs, () => {
      this.#forget();
      this.#forgetLater();
    });
  }
}

function messageOf({ bytes }: Kept): SipMessage | undefined {
  // A copy: the ring goes on, and what is parsed points into its bytes.
  const parsed = parseMessage(Buffer.from(bytes));
  if (parsed.kind === 'drop') return undefined;
  return parsed.kind === 'message' ? parsed.message : parsed.request;
}

function rungOf({ atMs, isSent, protocol, remote }: Kept, message: SipMessage): Rung {
  const { headers } = message;
  const cseq = headers.get('CSeq') ?? '';
  const method = message.kind === 'request' ? message.method : (cseq.split(/\s+/)[1] ?? '');
  return {
    atMs,
    isSent,
    protocol,
    remote,
    callId: headers.get('Call-ID') ?? '',
    method: method.slice(0, 20),
    status: message.kind === 'response' ? message.status : null,
    asked: message.kind === 'request' ? userShown(message.uri) : '',
    from: userShown(headers.get('From') ?? ''),
    to: userShown(headers.get('To') ?? ''),
    sameness: hashOf(maskedStartLine(message), cseq, headers.get('Via') ?? '', headers.get('RSeq') ?? ''),
    hasSdp: message.body.length > 0 && /sdp/i.test(headers.get('Content-Type') ?? ''),
    reason: /^([\w.-]+\s*;\s*cause=\d{1,3})/.exec(headers.get('Reason') ?? '')?.[1] ?? null,
    text: maskedText(message),
  };
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('base64url').slice(0, 16);
}

const asideMethods = /^(REGISTER|OPTIONS|SUBSCRIBE|PUBLISH)\b/;
const cseqName = Buffer.from('\nCSeq:');

/** Cheap, for it is asked of every message: by the first letters of a request, by the CSeq of an answer. */
function isAside(bytes: Buffer): boolean {
  if (bytes[0] !== 83 || bytes[3] !== 47) return asideMethods.test(bytes.toString('latin1', 0, 10));
  const at = bytes.indexOf(cseqName);
  if (at < 0) return false;
  const value = bytes.toString('latin1', at + cseqName.length, at + cseqName.length + 24);
  return asideMethods.test(value.replace(/^\s*\d+\s+/, ''));
}
