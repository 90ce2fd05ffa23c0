import type { Headers } from '../message/headers.ts';
import { namesExtension } from '../message/extensions.ts';
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Arrived } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import type { Dialog } from './dialog.ts';
import type { ReliableProvisionals } from './reliable-provisionals.ts';

export interface ResponseOptions {
  /** The standard phrase if absent. */
  readonly reason?: string;
  /** Added after the headers RFC 3261 8.2.6.2 copies; a Contact given here replaces ours. */
  readonly headers?: Headers;
  readonly body?: Buffer;
  /** Our tag, honoured only while none has been sent; random if absent. */
  readonly toTag?: string;
}

/** What an IncomingRequest needs of its endpoint. */
export interface ResponseSender {
  sendResponse(incoming: IncomingRequest, status: number, options: ResponseOptions): SipResponse | undefined;
}

/** A request that waits for our answer. Retransmissions of it are handled without you. */
export class IncomingRequest {
  readonly request: SipRequest;
  /** Where it came from. */
  readonly source: Flow;
  /** The dialog it belongs to; for a dialog-creating request, set as soon as a response with a tag has gone out. */
  dialog: Dialog | undefined;
  /** Our To tag once a response has carried it. */
  localTag: string | undefined;
  readonly transaction: ServerTransaction;
  /** Set while it is passed on to somebody else, who then answers it; told when the caller gives up. */
  passage: { cancel(): void } | undefined;
  /** The provisional responses that wait for a PRACK; set with the first of them. */
  reliable: ReliableProvisionals | undefined;
  readonly #sender: ResponseSender;

  constructor(arrived: Arrived, transaction: ServerTransaction, dialog: Dialog | undefined, sender: ResponseSender) {
    this.request = arrived.request;
    this.source = arrived.source;
    this.transaction = transaction;
    this.dialog = dialog;
    this.#sender = sender;
  }

  /** Whether a final response has gone out. */
  get isAnswered(): boolean {
    return this.transaction.isAnswered;
  }

  /** Whether a provisional response with `Require: 100rel` can be sent, RFC 3262 3. */
  get takesReliable(): boolean {
    const { method, headers } = this.request;
    if (method !== 'INVITE' || this.reliable?.isFull === true) return false;
    return namesExtension(headers, 'Supported', '100rel') || namesExtension(headers, 'Require', '100rel');
  }

  /**
   * Sends a response and returns it as sent; undefined if a final one went out before (nothing is sent then). A provisional
   * one with `Require: 100rel` is repeated until its PRACK comes, and the next such one waits for that.
   */
  respond(status: number, options: ResponseOptions = {}): SipResponse | undefined {
    return this.#sender.sendResponse(this, status, options);
  }
}
