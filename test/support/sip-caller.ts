/** Calls out from a SipPhone, for tests that begin where a call is set up. */
import type { Dialog, SipResponse } from '../../src/sip/index.ts';
import { Headers } from '../../src/sip/index.ts';
import { SipPhone } from './sip-phone.ts';

export class SipCaller {
  readonly #phone: SipPhone;

  private constructor(phone: SipPhone) {
    this.#phone = phone;
  }

  static async open(): Promise<SipCaller> {
    return new SipCaller(await SipPhone.open());
  }

  /** The final response; a 2xx is not acknowledged yet. */
  async invite(
    uri: string,
    headers: Readonly<Record<string, string>>,
    sdp: string | undefined,
  ): Promise<{ response: SipResponse; call: SipCall | undefined }> {
    const own = new Headers();
    for (const [name, value] of Object.entries(headers)) own.add(name, value);
    if (sdp !== undefined) own.add('Content-Type', 'application/sdp');
    const sent = this.#phone.send('INVITE', uri, { headers: own, body: sdp ?? '', acknowledges: false });
    const response = await sent.final();
    const { dialog } = sent;
    return {
      response,
      call: dialog === undefined || response.status >= 300 ? undefined : new SipCall(dialog, this.#phone),
    };
  }

  options(uri: string): Promise<SipResponse> {
    return this.#phone.send('OPTIONS', uri).final();
  }

  close(): void {
    this.#phone.close();
  }
}

export class SipCall {
  readonly dialog: Dialog;
  readonly #phone: SipPhone;

  constructor(dialog: Dialog, phone: SipPhone) {
    this.dialog = dialog;
    this.#phone = phone;
  }

  ack(sdp?: string): void {
    const headers = sdp === undefined ? new Headers() : new Headers().add('Content-Type', 'application/sdp');
    this.dialog.ack({ headers, body: Buffer.from(sdp ?? '') });
  }

  request(method: string, contentType: string, body: string): Promise<SipResponse> {
    return new Promise((resolve) => {
      const headers = new Headers().add('Content-Type', contentType);
      this.dialog.request(
        method,
        { headers, body: Buffer.from(body) },
        {
          onResponse: (response) => {
            if (response.status < 200) return;
            if (method === 'INVITE' && response.status < 300) this.ack();
            resolve(response);
          },
        },
      );
    });
  }

  bye(): void {
    this.dialog.bye();
  }

  /** Resolves when it is over, whoever ended it. */
  ended(): Promise<void> {
    return this.#phone.ended(this.dialog);
  }
}
