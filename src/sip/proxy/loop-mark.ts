import { createHmac } from 'node:crypto';
import type { Ways } from '../dialog/ways.ts';
import type { Headers } from '../message/headers.ts';
import { callIdOf, cseqOf, fromTagOf, type SipRequest, toTagOf } from '../message/sip-message.ts';
import { parseVia } from '../message/via.ts';

const markName = 'wl';
const markChars = 16;

/** What decides about the way of a request; where all of it is the same, it would go the same way again. */
const deciding = ['Route', 'Proxy-Require', 'Proxy-Authorization', 'Authorization'] as const;

/**
 * RFC 5393 4.2: the Via of what we pass on tells what it was when it came. One that comes again as it was goes in circles; one that
 * comes again as something else is a spiral, and is served.
 */
export class LoopMark {
  readonly #ways: Pick<Ways, 'isOwn'>;
  readonly #key: Buffer;

  constructor(ways: Pick<Ways, 'isOwn'>, key: Buffer) {
    this.#ways = ways;
    this.#key = key;
  }

  /** Marks our own Via, the top one of `sent`, which is what became of `request`. */
  put(sent: Headers, request: SipRequest): void {
    const [via = ''] = sent.list('Via');
    sent.replaceFirst('Via', `${via};${markName}=${this.#markOf(request)}`);
  }

  /** Whether it has been through us: not at all, as it is, or as something else. */
  judge(request: SipRequest): 'new' | 'loop' | 'spiral' {
    const vias = request.headers.list('Via').filter((via) => via.includes(`;${markName}=`));
    const marks = vias.flatMap((text) => {
      const via = parseVia(text);
      return via !== undefined && this.#ways.isOwn(via) ? [via.params.get(markName)] : [];
    });
    if (marks.length === 0) return 'new';
    return marks.includes(this.#markOf(request)) ? 'loop' : 'spiral';
  }

  #markOf(request: SipRequest): string {
    const { uri, headers } = request;
    const same = [callIdOf(request), fromTagOf(request), toTagOf(request), String(cseqOf(request).number), uri];
    const text = [...same, ...deciding.map((name) => headers.list(name).join(','))].join('\n');
    return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, markChars);
  }
}
