import {
  type Clock,
  type Dialog,
  Headers,
  hostPortText,
  type OutgoingHandlers,
  type Random,
  type RequestInFlight,
  serialise,
  type SipEndpoint,
  type SipRequest,
  type SipResponse,
  transportParam,
  type Vantage,
} from '../sip/index.ts';
import type { AppConnection } from './control/app-connection.ts';
import type { AppMessage } from './control/app-message.ts';
import { metaTokens } from './control/meta.ts';
import { completeBodyType } from './body-type.ts';
import type { CallRecords } from './call-records.ts';
import { type DialogBook, idOfCreator, idOfDialog } from './dialog-book.ts';
import type { RegisteredFlows } from './registered-flows.ts';

type AppRequest = Extract<AppMessage, { kind: 'request' }>;

interface Running {
  readonly outgoing: RequestInFlight;
  readonly app: AppConnection;
  readonly within: Dialog | undefined;
  isCancelled: boolean;
}

export interface OutboundOptions {
  readonly endpoint: () => SipEndpoint;
  readonly dialogs: DialogBook;
  readonly flows: RegisteredFlows;
  readonly records: CallRecords;
  /** So long an app may take to acknowledge an answer to a call it has cancelled. */
  readonly ackWithinMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The tokens of the reply to an app, and the message as sent if one was sent. */
export interface Reply {
  readonly tokens: string;
  readonly message?: Buffer;
}

/** From the apps to the network: requests outside and inside dialogs, CANCEL, ACK, and the responses to them. */
export class Outbound {
  readonly #o: OutboundOptions;
  readonly #running = new Map<string, Running>();
  /** INVITEs whose app is gone, by transaction: whoever answers them is told that nobody is there. */
  readonly #orphans = new Map<string, Running>();
  /** Calls that were answered although their app had cancelled them. */
  readonly #unwanted = new Map<Dialog, AppConnection>();
  /** Requests whose reply was written in this turn of the event loop. */
  readonly #fresh = new Set<string>();

  constructor(options: OutboundOptions) {
    this.#o = options;
  }

  get count(): number {
    return this.#running.size;
  }

  /** A request outside dialogs. `proxy`: where to send it, instead of where its URI points. */
  request(app: AppConnection, message: AppRequest, proxy: string | undefined): Reply {
    if (message.method === 'ACK' || message.method === 'CANCEL') return nok(`a ${message.method} needs a transaction`);
    const problem = completeBodyType(message);
    if (problem !== undefined) return nok(problem);
    const endpoint = this.#o.endpoint();
    const nextHop = proxy === undefined || proxy === '' ? undefined : asUri(proxy);
    const canReuse = nextHop === undefined && reusing.has(message.method);
    const flow = canReuse ? this.#o.flows.find(message.uri) : undefined;
    const target = { uri: message.uri, nextHop, flow };
    const vantage = endpoint.vantageFor(target);
    if (vantage !== undefined) replaceLocalhost(message.headers, endpoint.sentBy(vantage), vantage);
    const txnId = this.#o.random.uuid();
    this.#markFresh(txnId);
    const { method, headers, body } = message;
    const result = endpoint.request({ method, headers, body, ...target }, this.#handlers(txnId, app, undefined));
    if (result.kind === 'refused') return nok(result.why);
    this.#running.set(txnId, { outgoing: result.outgoing, app, within: undefined, isCancelled: false });
    if (method === 'INVITE') this.#o.records.attempt('application', result.outgoing.sent);
    return this.#echo(result.outgoing.sent, txnId, vantage);
  }

  /** A request, or an ACK, inside a dialog. Any app may send it: the id is all that counts. */
  requestInDialog(app: AppConnection, message: AppRequest, dialogId: string): Reply {
    const dialog = this.#dialogFor(message, dialogId);
    if (dialog === undefined || dialog.state === 'ended') {
      return nok(`unable to find dialog for dialog id ${dialogId}`);
    }
    const problem = completeBodyType(message);
    if (problem !== undefined) return nok(problem);
    replaceLocalhost(message.headers, this.#o.endpoint().sentBy(dialog.flow), dialog.flow);
    const { method, headers, body } = message;
    if (method === 'ACK') {
      if (!dialog.awaitsAck) return nok('there is no answer to acknowledge');
      this.#unwanted.delete(dialog);
      return this.#echo(dialog.ack({ headers, body }), this.#o.random.uuid(), dialog.flow);
    }
    if (method === 'INVITE' && (dialog.openInvite !== undefined || dialog.pendingInvite !== undefined))
      return nok('another INVITE of this dialog is in progress');
    if (method === 'PRACK') dialog.unacknowledgedRseq = undefined;
    if (method === 'BYE') dialog.openInvite?.cancel();
    // A BYE changes nothing that the next process could not do without, and ends it all with its answer.
    if (method !== 'BYE') this.#o.dialogs.touch(dialog);
    const txnId = this.#o.random.uuid();
    this.#markFresh(txnId);
    const outgoing = dialog.request(method, { headers, body }, this.#handlers(txnId, app, dialog));
    this.#running.set(txnId, { outgoing, app, within: dialog, isCancelled: false });
    return this.#echo(outgoing.sent, txnId, dialog.flow);
  }

  #dialogFor({ method, headers }: AppRequest, dialogId: string): Dialog | undefined {
    const { dialogs } = this.#o;
    const rseq = method === 'PRACK' ? Number.parseInt(headers.get('RAck') ?? '', 10) : Number.NaN;
    const fork = Number.isNaN(rseq) ? undefined : dialogs.findForPrack(dialogId, rseq);
    return fork ?? dialogs.find(dialogId)?.dialog;
  }

  cancel(txnId: string, message: AppRequest): Reply {
    const running = this.#running.get(txnId);
    const sent = running?.outgoing.cancel(message.headers);
    if (running !== undefined) running.isCancelled = true;
    if (sent === undefined) return nok(`unable to cancel unknown transaction id: ${txnId}`);
    return this.#echo(sent, this.#o.random.uuid(), undefined);
  }

  /** An app is gone: nobody will take the calls it was placing. */
  onGone(app: AppConnection): void {
    for (const [txnId, running] of this.#running) {
      if (running.app !== app) continue;
      this.#running.delete(txnId);
      if (running.outgoing.sent.method !== 'INVITE') continue;
      this.#orphans.set(txnId, running);
      // A conversation whose media was being changed goes on.
      if (running.within === undefined) running.outgoing.cancel();
    }
  }

  /** Cancels every call that is still being placed. */
  close(): void {
    for (const { app } of this.#running.values()) this.onGone(app);
  }

  #handlers(txnId: string, app: AppConnection, within: Dialog | undefined): OutgoingHandlers {
    return {
      onResponse: (response, { dialog, flow }) => {
        const isFinal = response.status >= 200;
        const running = this.#running.get(txnId);
        if (running === undefined) return isFinal ? this.#orphanAnswered(txnId, response, dialog) : undefined;
        if (isFinal) this.#running.delete(txnId);
        if (isFinal && within !== undefined) this.#o.dialogs.touch(within);
        if (within === undefined && dialog !== undefined && dialog.state !== 'ended') this.#o.dialogs.own(dialog, app);
        if (within === undefined && response.status >= 300) this.#dropEarly(running.outgoing);
        if (isFinal && within === undefined && running.outgoing.sent.method === 'INVITE') {
          this.#recordAnswer(response);
          if (running.isCancelled && dialog?.awaitsAck === true) this.#cancelledTooLate(dialog, app);
        }
        const message = serialise(response);
        const from = flow?.remote ?? { host: '127.0.0.1', port: 0 };
        const meta = metaTokens(message, flow?.protocol ?? 'udp', from, this.#o.clock.now());
        const dialogId = within === undefined ? idOfCreator(running.outgoing.sent) : idOfDialog(within);
        this.#showLater(txnId, () => app.show(`network|${meta}|${txnId}|${dialogId}|`, message));
      },
    };
  }

  #recordAnswer(response: SipResponse): void {
    if (response.status < 300) this.#o.records.start('network', 'uac', response);
    else this.#o.records.failed('network', response);
  }

  /**
   * The answer was faster than the CANCEL. Whoever picked up in that moment may still have the call, if the app acknowledges
   * it; one that does not want it any more need not care, and the far end is told.
   */
  #cancelledTooLate(dialog: Dialog, app: AppConnection): void {
    this.#unwanted.set(dialog, app);
    this.#o.clock.after(this.#o.ackWithinMs, () => {
      if (this.#unwanted.has(dialog)) this.#endUnwanted(dialog, app);
    });
  }

  #endUnwanted(dialog: Dialog, app: AppConnection): void {
    if (!this.#unwanted.delete(dialog) || this.#o.dialogs.drop(dialog) === undefined) return;
    dialog.ack();
    const headers = new Headers().add('Reason', 'SIP ;cause=200 ;text="ACK-BYE due to cancel race condition"');
    const { sent } = dialog.bye({ headers });
    const message = serialise(sent);
    const meta = metaTokens(message, dialog.flow.protocol, dialog.flow.remote, this.#o.clock.now());
    app.show(`application|${meta}|unsolicited|${idOfDialog(dialog)}|`, message);
  }

  /** Apps that await the reply lose a response that comes in the same read: the two are written in different turns. */
  #showLater(txnId: string, show: () => void): void {
    if (this.#fresh.has(txnId)) setImmediate(show);
    else show();
  }

  #markFresh(txnId: string): void {
    if (this.#fresh.size === 0) setImmediate(() => this.#fresh.clear());
    this.#fresh.add(txnId);
  }

  #orphanAnswered(txnId: string, response: SipResponse, dialog: Dialog | undefined): void {
    const orphan = this.#orphans.get(txnId);
    this.#orphans.delete(txnId);
    if (orphan === undefined) return;
    if (response.status >= 300) return this.#dropEarly(orphan.outgoing);
    dialog?.ack();
    if (orphan.within === undefined) dialog?.bye();
  }

  #dropEarly(outgoing: RequestInFlight): void {
    const entry = this.#o.dialogs.find(idOfCreator(outgoing.sent));
    if (entry?.dialog.state === 'ended') this.#o.dialogs.drop(entry.dialog);
  }

  #echo(sent: SipRequest, txnId: string, vantage: Vantage | undefined): Reply {
    const message = serialise(sent);
    const local = vantage?.local ?? { host: '127.0.0.1', port: 0 };
    const meta = metaTokens(message, vantage?.protocol ?? 'udp', local, this.#o.clock.now());
    return { tokens: `OK|application|${meta}|${txnId}|Msg sent:|`, message };
  }
}

/** Methods that go back over the connection a phone registered on. */
const reusing: ReadonlySet<string> = new Set(['INVITE', 'OPTIONS', 'NOTIFY', 'MESSAGE']);

/** Apps write `localhost` for the address they cannot know. */
const mayNameLocalhost = ['From', 'To', 'Contact', 'P-Asserted-Identity'] as const;

function replaceLocalhost(headers: Headers, own: { host: string; port: number }, vantage: Vantage): void {
  for (const name of mayNameLocalhost) {
    const value = headers.get(name);
    if (value?.includes('localhost') !== true) continue;
    const address = hostPortText(own.host, own.port);
    const suffix = name === 'Contact' ? `${address}${transportParam(vantage.protocol)}` : address;
    headers.set(name, inAngles(value, name).replaceAll(/([@:])localhost(?![\w.:-])/g, `$1${suffix}`));
  }
}

// Without angle brackets a URI parameter would become a parameter of the header.
function inAngles(value: string, name: string): string {
  return name === 'Contact' && !value.includes('<') && !value.includes(';') ? `<${value}>` : value;
}

function asUri(proxy: string): string {
  return /^sips?:/i.test(proxy) ? proxy : `sip:${proxy}`;
}

function nok(why: string): Reply {
  return { tokens: `NOK|${why}` };
}
