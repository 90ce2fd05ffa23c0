/** A phone of the tests that speaks through a browser's ICE, DTLS and SRTP. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { RtpPhone } from './rtp-phone.ts';
import { until } from './processes.ts';

export type BrowserOrder =
  | { readonly do: 'listen'; readonly phonePort: number }
  | { readonly do: 'offer' }
  | { readonly do: 'answer' | 'accept'; readonly sdp: string };

export type BrowserAnswer = { readonly port: number } | { readonly sdp: string } | { readonly state: string };

export class BrowserPhone {
  /** What is said and heard. */
  readonly phone: RtpPhone;
  /** As RTCPeerConnection.connectionState. */
  readonly states: string[] = [];
  readonly #child: ChildProcess;

  private constructor(phone: RtpPhone, child: ChildProcess) {
    this.phone = phone;
    this.#child = child;
    child.on('message', (answer: BrowserAnswer) => 'state' in answer && this.states.push(answer.state));
  }

  static async open(): Promise<BrowserPhone> {
    const child = fork(new URL('./browser-program.ts', import.meta.url), { execArgv: [] });
    const browser = new BrowserPhone(await RtpPhone.open(), child);
    const { port } = await browser.#ask<{ port: number }>({ do: 'listen', phonePort: browser.phone.port }, 'port');
    browser.phone.talkTo(`v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ${port} RTP/AVP 0\r\n`);
    return browser;
  }

  /** Its offer, with all its addresses. */
  async offer(): Promise<string> {
    return (await this.#ask<{ sdp: string }>({ do: 'offer' }, 'sdp')).sdp;
  }

  /** Its answer to an offer. */
  async answer(sdp: string): Promise<string> {
    return (await this.#ask<{ sdp: string }>({ do: 'answer', sdp }, 'sdp')).sdp;
  }

  /** The answer to its offer. */
  accept(sdp: string): void {
    this.#child.send({ do: 'accept', sdp } satisfies BrowserOrder);
  }

  async connected(): Promise<void> {
    await until('the browser to be connected', async () => this.states.includes('connected'));
  }

  async close(): Promise<void> {
    this.phone.close();
    if (this.#child.exitCode !== null) return;
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }

  async #ask<T>(order: BrowserOrder, key: string): Promise<T> {
    const answered = new Promise<T>((resolve) => {
      const hear = (answer: BrowserAnswer): void => {
        if (!(key in answer)) return;
        this.#child.off('message', hear);
        resolve(answer as T);
      };
      this.#child.on('message', hear);
    });
    this.#child.send(order);
    return answered;
  }
}
