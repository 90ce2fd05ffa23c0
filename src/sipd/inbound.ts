import {
  type Clock,
  type Dialog,
  type DialogEnding,
  type Flow,
  Headers,
  type IncomingRequest,
  namesExtension,
  type Random,
  serialise,
  type SipRequest,
  tagOf,
  type Timer,
} from '../sip/index.ts';
import type { Admission } from './admission/admission.ts';
import type { AppRegistry } from './app-registry.ts';
import { asCancel } from './as-cancel.ts';
import type { AppConnection } from './control/app-connection.ts';
import type { AppMessage } from './control/app-message.ts';
import { metaTokens } from './control/meta.ts';
import { completeBodyType } from './body-type.ts';
import type { CallRecords } from './call-records.ts';
import { type DialogBook, idOfCreator, idOfDialog } from './dialog-book.ts';
import { MissedEndings } from './missed-endings.ts';
import type { SipdOptions } from './options.ts';
import type { RegisteredFlows } from './registered-flows.ts';
import { isOutside, tellsWhereItIs } from './request-kinds.ts';

/** A request an app has been shown and has not answered. */
interface Pending {
  readonly txnId: string;
  readonly incoming: IncomingRequest;
  readonly app: AppConnection;
  silence: Timer;
}

/** A request that waits for an app to come back. */
interface Held {
  readonly incoming: IncomingRequest;
  /** The app it must be, '' for any that wants the verb. */
  readonly tag: string;
  readonly giveUp: Timer;
}

export interface InboundOptions {
  readonly apps: AppRegistry;
  readonly dialogs: DialogBook;
  readonly flows: RegisteredFlows;
  readonly admission: Admission;
  readonly records: CallRecords;
  readonly clock: Clock;
  readonly random: Random;
  readonly options: SipdOptions;
}

/** From the network to the apps: who is shown a request, what happens while nobody is there, and the answers. */
export class Inbound {
  readonly #o: InboundOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #byIncoming = new Map<IncomingRequest, Pending>();
  readonly #held = new Set<Held>();
  readonly #missed = new MissedEndings();
  #isClosing = false;

  constructor(options: InboundOptions) {
    this.#o = options;
  }

  get counts(): { pending: number; held: number } {
    return { pending: this.#pending.size, held: this.#held.size };
  }

  onRequest(incoming: IncomingRequest): void {
    const { dialog, request } = incoming;
    if (request.method === 'INVITE' && dialog === undefined) this.#o.records.attempt('network', request);
    if (this.#isClosing) return this.#refuse(incoming, 503);
    const isFull = this.#pending.size + this.#held.size >= this.#o.options.limits.pendingRequests;
    // The end of a call has to be told: nobody would ever hang up the other side.
    if (isFull && request.method !== 'BYE') return this.#refuse(incoming, 503);
    if (request.method === 'INVITE') incoming.respond(100);
    if (dialog === undefined) this.#offerNew(incoming);
    else this.#offerInDialog(incoming, dialog);
  }

  onCancelled(incoming: IncomingRequest, by: SipRequest): void {
    for (const held of this.#held) if (held.incoming === incoming) this.#unhold(held);
    const pending = this.#byIncoming.get(incoming);
    // A re-INVITE that is taken back leaves its dialog as it was.
    if (incoming.dialog?.state === 'ended') this.#o.dialogs.drop(incoming.dialog);
    if (incoming.dialog?.state !== 'confirmed') this.#o.records.stop('network', 'call-canceled', by);
    if (pending === undefined) return;
    this.#settle(pending);
    const message = serialise(by.method === 'CANCEL' ? by : asCancel(by));
    pending.app.show(`network|${this.#meta(message, incoming.source)}|${pending.txnId}||`, message);
  }

  onAck(dialog: Dialog, ack: SipRequest, from: Flow): void {
    const owner = this.#ownerOf(dialog);
    if (owner === undefined) return;
    const message = serialise(ack);
    const tokens = `${this.#meta(message, from)}|${this.#o.random.uuid()}|${idOfDialog(dialog)}|`;
    owner.show(`network|${tokens}`, message);
  }

  onDialogEnded(dialog: Dialog, ending: DialogEnding): void {
    this.#o.records.ended(dialog, ending);
    const entry = this.#o.dialogs.drop(dialog);
    if (entry === undefined || (ending.why !== 'ackTimeout' && ending.why !== 'sessionExpired')) return;
    const message = serialise(ending.bye);
    const tokens = `application|${this.#meta(message, dialog.flow)}|unsolicited|${idOfDialog(dialog)}|`;
    const app = this.#o.apps.heirOf(entry.owner);
    if (app !== undefined) app.show(tokens, message);
    else this.#missed.keep(entry.owner.tag, { tokens, message });
  }

  /** An app's response. The tokens of the reply, and the response as sent if there was one. */
  respond(txnId: string, message: Extract<AppMessage, { kind: 'response' }>): { tokens: string; message?: Buffer } {
    const pending = this.#pending.get(txnId);
    if (pending === undefined) return nok('Response not sent due to unknown transaction');
    const { incoming } = pending;
    const { headers, body } = message;
    const isReliable = message.status < 200 && namesExtension(headers, 'Require', '100rel');
    if (isReliable && !incoming.takesReliable) return nok('Remote endpoint does not support 100rel');
    const problem = completeBodyType(message);
    if (problem !== undefined) return nok(problem);
    const toTag = tagOf(headers.get('To') ?? '') || undefined;
    const sent = incoming.respond(message.status, { reason: message.reason || undefined, headers, body, toTag });
    if (sent === undefined) return nok('Response not sent due to unknown transaction');
    this.#o.admission.begun(incoming.request);
    if (incoming.dialog !== undefined && incoming.dialog.state !== 'ended')
      this.#o.dialogs.own(incoming.dialog, pending.app);
    if (message.status >= 200) this.#o.records.answered(incoming.request, sent);
    if (message.status < 200) {
      pending.silence.stop();
      pending.silence = this.#whenSilent(pending, this.#o.options.timers.appRingsWithinMs);
    } else {
      this.#settle(pending);
      this.#o.admission.answered(incoming.request, sent, incoming.source);
      if (message.status >= 300 && idOfCreator(incoming.request) !== '' && incoming.dialog?.state === 'ended') {
        this.#o.dialogs.drop(incoming.dialog);
      }
      if (message.status < 300 && tellsWhereItIs(incoming.request))
        this.#o.flows.learn(incoming.request, sent, incoming.source);
    }
    const bytes = serialise(sent);
    const meta = this.#meta(bytes, incoming.source);
    return { tokens: `OK|application|${meta}|${txnId}|${this.#dialogIdOf(incoming)}||Msg sent:|`, message: bytes };
  }

  /** The request that an app was shown and wants somebody else to answer; nobody waits for the app any more. */
  handOver(txnId: string): IncomingRequest | undefined {
    const pending = this.#pending.get(txnId);
    if (pending === undefined || pending.incoming.dialog?.state === 'confirmed') return undefined;
    this.#settle(pending);
    if (pending.incoming.dialog !== undefined) this.#o.dialogs.drop(pending.incoming.dialog);
    return pending.incoming;
  }

  /** An app asked for a verb: what waited for it is shown, and what it missed, once it is there for good. */
  onRoute(app: AppConnection, verb: string, isFirst: boolean): void {
    if (isFirst) for (const { tokens, message } of this.#missed.take(app.tag)) app.show(tokens, message);
    for (const held of this.#held) {
      const { incoming, tag } = held;
      const isForIt = tag === '' ? true : tag === app.tag;
      const isWanted =
        incoming.dialog?.state === 'confirmed' ? isFirst : verb === incoming.request.method.toLowerCase();
      if (!isForIt || !isWanted) continue;
      this.#unhold(held);
      this.#show(app, incoming);
    }
  }

  /** An app is gone: what it had not answered waits for it, or for another one like it. */
  onGone(app: AppConnection): void {
    for (const pending of this.#pending.values()) {
      if (pending.app !== app) continue;
      this.#settle(pending);
      const { incoming } = pending;
      const { dialog } = incoming;
      // It was written to a connection that nobody read any more: as if it had come now.
      if (isOutside(incoming) || dialog === undefined || app.tag === '')
        this.#hold(incoming, app.tag, this.#o.options.timers.holdNewMs, 480);
      else this.#keepFor(app.tag, incoming, idOfDialog(dialog));
    }
  }

  /** Refuses everything that waits. */
  close(): void {
    this.#isClosing = true;
    for (const held of this.#held) {
      this.#unhold(held);
      this.#refuse(held.incoming, 503);
    }
    for (const pending of this.#pending.values()) {
      this.#settle(pending);
      this.#refuse(pending.incoming, 503);
    }
  }

  #offerNew(incoming: IncomingRequest): void {
    const { apps, options } = this.#o;
    const app = apps.next(incoming.request.method.toLowerCase());
    if (app !== undefined) return this.#show(app, incoming);
    // An app is here and does not want this verb; waiting would not change that.
    if (apps.hasApps) return this.#refuse(incoming, 503);
    this.#hold(incoming, '', options.timers.holdNewMs, 503);
  }

  #offerInDialog(incoming: IncomingRequest, dialog: Dialog): void {
    const { apps, dialogs } = this.#o;
    dialogs.touch(dialog);
    const owner = dialogs.find(idOfDialog(dialog))?.owner;
    const app = owner === undefined ? undefined : apps.heirOf(owner);
    if (app !== undefined) return this.#show(app, incoming);
    // Without a tag nobody can come back for this dialog.
    if (owner === undefined || owner.tag === '') return this.#refuse(incoming, 481);
    this.#keepFor(owner.tag, incoming, idOfDialog(dialog));
  }

  /** The app with that tag is away: the end of a dialog is told when it is back, anything else waits a little. */
  #keepFor(tag: string, incoming: IncomingRequest, dialogId: string): void {
    if (incoming.request.method !== 'BYE') {
      return this.#hold(incoming, tag, this.#o.options.timers.holdInDialogMs, 503);
    }
    incoming.respond(200);
    const message = serialise(incoming.request);
    const txnId = this.#o.random.uuid();
    const tokens = `network|${this.#meta(message, incoming.source)}|${txnId}|${dialogId}|`;
    this.#missed.keep(tag, { tokens, message });
  }

  #show(app: AppConnection, incoming: IncomingRequest): void {
    const txnId = this.#o.random.uuid();
    const { source, dialog, request } = incoming;
    const silence = this.#whenSilent({ txnId, incoming }, this.#o.options.timers.appAnswersWithinMs);
    const pending: Pending = { txnId, incoming, app, silence };
    this.#pending.set(txnId, pending);
    this.#byIncoming.set(incoming, pending);
    const message = serialise(request);
    const meta = this.#meta(message, source);
    if (dialog === undefined || isOutside(incoming))
      app.show(`network|${meta}|${txnId}||${source.local.host}|${source.local.port}|`, message);
    else app.show(`network|${meta}|${txnId}|${idOfDialog(dialog)}|`, message);
  }

  #whenSilent({ txnId, incoming }: Pick<Pending, 'txnId' | 'incoming'>, withinMs: number): Timer {
    return this.#o.clock.after(withinMs, () => {
      this.#pending.delete(txnId);
      this.#byIncoming.delete(incoming);
      this.#refuse(incoming, incoming.request.method === 'INVITE' ? 480 : 408);
    });
  }

  #hold(incoming: IncomingRequest, tag: string, holdMs: number, otherwise: number): void {
    const giveUp = this.#o.clock.after(holdMs, () => {
      this.#held.delete(held);
      this.#refuse(incoming, otherwise);
    });
    const held: Held = { incoming, tag, giveUp };
    this.#held.add(held);
  }

  #unhold(held: Held): void {
    held.giveUp.stop();
    this.#held.delete(held);
  }

  #refuse(incoming: IncomingRequest, status: number): void {
    const headers = new Headers();
    if (status === 503) headers.add('Retry-After', '5');
    const sent = incoming.respond(status, { headers });
    if (sent !== undefined) this.#o.records.answered(incoming.request, sent);
    if (incoming.dialog?.state === 'ended') this.#o.dialogs.drop(incoming.dialog);
  }

  #settle(pending: Pending): void {
    pending.silence.stop();
    this.#pending.delete(pending.txnId);
    this.#byIncoming.delete(pending.incoming);
  }

  #ownerOf(dialog: Dialog): AppConnection | undefined {
    const owner = this.#o.dialogs.find(idOfDialog(dialog))?.owner;
    return owner === undefined ? undefined : this.#o.apps.heirOf(owner);
  }

  #dialogIdOf(incoming: IncomingRequest): string {
    return incoming.dialog === undefined ? idOfCreator(incoming.request) : idOfDialog(incoming.dialog);
  }

  #meta(message: Buffer, flow: Flow): string {
    return metaTokens(message, flow.protocol, flow.remote, this.#o.clock.now());
  }
}

function nok(why: string): { tokens: string } {
  return { tokens: `NOK|${why}` };
}
