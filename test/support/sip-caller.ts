/** A small SIP user agent for tests, on our own SIP library: calls out, and is told what the other side does in the dialog. */
import { EventEmitter, once } from 'node:events';
import { Headers, SipEndpoint, type Dialog, type SipResponse } from '../../src/sip/index.ts';

export class SipCaller {
  readonly #endpoint: SipEndpoint;
  readonly #calls: Map<string, SipCall>;

  private constructor(endpoint: SipEndpoint, calls: Map<string, SipCall>) {
    this.#endpoint = endpoint;
    this.#calls = calls;
  }

  static async open(): Promise<SipCaller> {
    const calls = new Map<string, SipCall>();
    const endpoint = await SipEndpoint.open({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
      handlers: {
        onRequest: (incoming) => void incoming.respond(200),
        onCancelled() {},
        onAck() {},
        onDialogEnded: (dialog) => {
          const call = calls.get(dialog.key);
          if (call === undefined) return;
          call.isEnded = true;
          call.emit('ended');
        },
      },
    });
    return new SipCaller(endpoint, calls);
  }

  /** The final response; a 2xx is not acknowledged yet. */
  invite(
    uri: string,
    headers: Readonly<Record<string, string>>,
    sdp: string | undefined,
  ): Promise<{ response: SipResponse; call: SipCall | undefined }> {
    const own = new Headers();
    for (const [name, value] of Object.entries(headers)) own.add(name, value);
    if (sdp !== undefined) own.add('Content-Type', 'application/sdp');
    return new Promise((resolve, reject) => {
      const draft = { method: 'INVITE', uri, headers: own, body: Buffer.from(sdp ?? '') };
      const result = this.#endpoint.request(draft, {
        onResponse: (response, { dialog }) => {
          if (response.status < 200) return;
          const call = dialog === undefined || response.status >= 300 ? undefined : new SipCall(dialog);
          if (call !== undefined) this.#calls.set(call.dialog.key, call);
          resolve({ response, call });
        },
      });
      if (result.kind === 'refused') reject(new Error(result.why));
    });
  }

  options(uri: string): Promise<SipResponse> {
    return new Promise((resolve) => {
      this.#endpoint.request({ method: 'OPTIONS', uri }, { onResponse: (response) => resolve(response) });
    });
  }

  close(): void {
    this.#endpoint.close();
  }
}

/** Emits `ended` once. */
export class SipCall extends EventEmitter {
  readonly dialog: Dialog;
  isEnded = false;

  constructor(dialog: Dialog) {
    super();
    this.dialog = dialog;
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

  async ended(): Promise<void> {
    if (!this.isEnded) await once(this, 'ended');
  }
}
