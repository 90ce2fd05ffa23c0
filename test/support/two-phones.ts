import {
  type Dialog,
  type DialogEnding,
  Headers,
  type IncomingRequest,
  SipEndpoint,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts';
import { MemoryNetwork } from './memory-network.ts';
import { VirtualClock } from './virtual-clock.ts';

/** An endpoint on the network of a test, with everything it was told. */
export interface VirtualPhone {
  readonly endpoint: SipEndpoint;
  readonly port: number;
  readonly requests: IncomingRequest[];
  readonly cancelled: SipRequest[];
  readonly acks: SipRequest[];
  readonly endings: DialogEnding[];
  /** The newest request of that method; throws if there was none. */
  got(method: string): IncomingRequest;
  call(uri: string, headers?: Record<string, string>, body?: string): VirtualCall;
}

export interface VirtualCall {
  readonly responses: SipResponse[];
  readonly dialogs: (Dialog | undefined)[];
  readonly statuses: number[];
  cancel(): void;
}

/** Two SIP endpoints in a world where time passes only when told to. */
export async function twoPhones() {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const alice = await aPhone(clock, network);
  const bob = await aPhone(clock, network);
  return { clock, network, alice, bob };
}

export async function aPhone(clock: VirtualClock, network: MemoryNetwork): Promise<VirtualPhone> {
  const requests: IncomingRequest[] = [];
  const cancelled: SipRequest[] = [];
  const acks: SipRequest[] = [];
  const endings: DialogEnding[] = [];
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    handlers: {
      onRequest: (incoming) => void requests.push(incoming),
      onCancelled: (_incoming, by) => void cancelled.push(by),
      onAck: (_dialog, ack) => void acks.push(ack),
      onDialogEnded: (_dialog, ending) => void endings.push(ending),
    },
    supported: ['100rel', 'timer', 'path'],
    sessionTimers: true,
    clock,
    network,
  });
  return {
    endpoint,
    port: endpoint.addresses[0]?.port ?? 0,
    requests,
    cancelled,
    acks,
    endings,
    got: (method) => {
      const found = requests.findLast(({ request }) => request.method === method);
      if (found === undefined) throw new Error(`no ${method} came`);
      return found;
    },
    call: (uri, headers = {}, body = '') => {
      const call = { responses: [] as SipResponse[], dialogs: [] as (Dialog | undefined)[] };
      const result = endpoint.request(
        { method: 'INVITE', uri, headers: headersOf(headers), body: Buffer.from(body) },
        {
          onResponse: (response, { dialog }) => {
            call.responses.push(response);
            call.dialogs.push(dialog);
          },
        },
      );
      if (result.kind === 'refused') throw new Error(result.why);
      return {
        ...call,
        get statuses() {
          return call.responses.map(({ status }) => status);
        },
        cancel: () => void result.outgoing.cancel(),
      };
    },
  };
}

export function headersOf(record: Readonly<Record<string, string>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(record)) headers.add(name, value);
  return headers;
}
