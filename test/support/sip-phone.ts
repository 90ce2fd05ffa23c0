import {
  type Dialog,
  type Headers,
  type IncomingRequest,
  type Protocol,
  SipEndpoint,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts';
import { until } from './processes.ts';

export const sdp = (port: number, direction = 'sendrecv'): string =>
  `v=0\r\no=- 1 ${port} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\na=${direction}\r\n`;

/** A SIP phone on a free loopback port, driven by the test: it does nothing by itself but answer in-dialog requests. */
export class SipPhone {
  readonly requests: IncomingRequest[] = [];
  readonly cancels: SipRequest[] = [];
  readonly acks: SipRequest[] = [];
  readonly endings: string[] = [];
  onRequest: (incoming: IncomingRequest) => void = (incoming) => {
    if (incoming.dialog !== undefined && incoming.dialog.state === 'confirmed') incoming.respond(200);
  };
  #endpoint!: SipEndpoint;
  readonly #ends = new Map<Dialog, PromiseWithResolvers<void>>();

  static async open(protocol: Protocol = 'udp'): Promise<SipPhone> {
    const phone = new SipPhone();
    phone.#endpoint = await SipEndpoint.open({
      listen: [{ protocol, host: '127.0.0.1', port: 0 }],
      handlers: {
        onRequest: (incoming) => {
          phone.requests.push(incoming);
          phone.onRequest(incoming);
        },
        onCancelled: (_incoming, by) => void phone.cancels.push(by),
        onAck: (_dialog, ack) => void phone.acks.push(ack),
        onDialogEnded: (dialog, ending) => {
          phone.endings.push(ending.why);
          phone.#endOf(dialog).resolve();
        },
      },
    });
    return phone;
  }

  get port(): number {
    return this.#endpoint.addresses[0]?.port ?? 0;
  }

  get counts() {
    return this.#endpoint.counts;
  }

  uri(user: string): string {
    const transport = this.#endpoint.protocols[0] === 'tcp' ? ';transport=tcp' : '';
    return `sip:${user}@127.0.0.1:${this.port}${transport}`;
  }

  /** Sends a request; `responses` fills up as they come. */
  send(method: string, uri: string, options: { headers?: Headers; body?: string; acknowledges?: boolean } = {}): Sent {
    const sent = new Sent();
    sent.acknowledges = options.acknowledges ?? true;
    const result = this.#endpoint.request(
      {
        method,
        uri,
        headers: options.headers,
        body: options.body === undefined ? undefined : Buffer.from(options.body),
      },
      {
        onResponse: (response, { dialog }) => {
          sent.responses.push(response);
          sent.dialog = dialog ?? sent.dialog;
          if (method === 'INVITE' && response.status >= 200 && response.status < 300 && sent.acknowledges)
            dialog?.ack();
        },
      },
    );
    if (result.kind === 'refused') throw new Error(result.why);
    sent.cancel = (headers) => void result.outgoing.cancel(headers);
    return sent;
  }

  /** The newest request of that method, once there is one. */
  got(method: string): Promise<IncomingRequest> {
    return until(method, () => this.requests.findLast((incoming) => incoming.request.method === method));
  }

  /** Resolves when a confirmed dialog ends, whoever ends it. */
  ended(dialog: Dialog): Promise<void> {
    return this.#endOf(dialog).promise;
  }

  close(): void {
    this.#endpoint.close();
  }

  #endOf(dialog: Dialog): PromiseWithResolvers<void> {
    const end = this.#ends.get(dialog) ?? Promise.withResolvers<void>();
    this.#ends.set(dialog, end);
    return end;
  }
}

export class Sent {
  readonly responses: SipResponse[] = [];
  dialog: Dialog | undefined;
  /** Whether a 2xx to INVITE is acknowledged at once. */
  acknowledges = true;
  cancel: (headers?: Headers) => void = () => {};

  get statuses(): number[] {
    return this.responses.map((response) => response.status);
  }

  /** The final response. */
  final(): Promise<SipResponse> {
    return until('a final response', () => this.responses.find((response) => response.status >= 200));
  }

  provisional(status: number): Promise<SipResponse> {
    return until(`a ${status}`, () => this.responses.find((response) => response.status === status));
  }
}
