import { type Clock, type SipEndpoint, type SipRequest, type SipResponse } from '../sip/index.ts';
import type { CallRecords } from './call-records.ts';
import type { AppConnection } from './control/app-connection.ts';
import type { AppCommand } from './control/control-server.ts';
import type { Inbound } from './inbound.ts';
import { parseProxyCommand, proxyResponseTokens } from './proxy-command.ts';
import type { RegisteredFlows } from './registered-flows.ts';

export interface ProxiesOptions {
  readonly endpoint: SipEndpoint;
  readonly inbound: Inbound;
  readonly flows: RegisteredFlows;
  readonly records: CallRecords;
  readonly clock: Clock;
}

/** Requests that apps hand over to be answered by somebody else. */
export class Proxies {
  readonly #o: ProxiesOptions;

  constructor(options: ProxiesOptions) {
    this.#o = options;
  }

  run(app: AppConnection, command: AppCommand): void {
    const parsed = parseProxyCommand(command);
    if (typeof parsed === 'string') return app.reply(command.id, `NOK|${parsed}`);
    const { endpoint, inbound, flows, records, clock } = this.#o;
    const incoming = inbound.handOver(parsed.txnId);
    if (incoming === undefined) return app.reply(command.id, 'NOK|Request not proxied due to unknown transaction');
    const options = { ...parsed.options, flowFor: (uri: string) => flows.find(uri) };
    endpoint.proxy(incoming, options, {
      onSent: (request) => {
        if (request.method === 'INVITE') records.attempt('application', request);
      },
      onFinal: (response, from) => {
        this.#record(incoming.request, response);
        if (!parsed.wantsResponses) return;
        const { tokens, message } = proxyResponseTokens(response, from, clock.now());
        app.reply(command.id, tokens, message);
      },
      onDone: () => app.reply(command.id, 'OK|done'),
    });
  }

  #record({ method }: SipRequest, response: SipResponse): void {
    if (method !== 'INVITE') return;
    const { records } = this.#o;
    if (response.status >= 300) return records.failed('network', response);
    records.start('network', 'proxy-uac', response);
    records.start('application', 'proxy-uas', response);
  }
}
