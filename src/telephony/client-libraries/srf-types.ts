import type { ConnectionOptions } from 'node:tls';

/**
 * The part of drachtio-srf 5.0.29 that we use, typed. Its own typings miss the callback forms we depend on and say
 * `any` where it matters; `createSrf` is the only place that casts to these.
 */
export type Headers = Readonly<Record<string, string>>;

export interface SipMessageView {
  readonly body: string;
  readonly source_address: string;
  readonly source_port: number | string;
  readonly protocol: string;
  get(name: string): string | undefined;
  has(name: string): boolean;
}

export interface SrfRequest extends SipMessageView {
  readonly method: string;
  readonly uri: string;
  /** Set by the server for a request inside a dialog. */
  readonly stackDialogId?: string;
  /** The server's id of the transaction. */
  readonly stackTxnId?: string;
  socket: unknown;
  cancel(options: { headers?: Headers }, callback: (error: unknown) => void): void;
  emit(event: 'response', response: object, ack: () => void): boolean;
  on(event: 'cancel', run: () => void): this;
}

export interface SrfResponseIn extends SipMessageView {
  readonly status: number;
  readonly reason: string;
}

export interface SendOptions {
  headers?: Record<string, string>;
  body?: string;
}

export interface SrfResponse {
  socket: unknown;
  send(
    status: number,
    reason: string | undefined,
    options: SendOptions,
    callback?: (error: unknown) => void,
    onAck?: (ack: SrfRequest) => void,
  ): void;
}

export interface SrfDialog {
  /** As the signalling server knows it. */
  readonly id: string;
  readonly type: 'uac' | 'uas';
  readonly connected: boolean;
  /** The client that it belongs to, and what that knows of its dialogs. */
  readonly srf: {
    findDialogById(id: string): SrfDialog | undefined;
    addDialog(dialog: SrfDialog): void;
    removeDialog(dialog: SrfDialog): void;
  };
  readonly local: { uri: string; sdp: string; contact?: string };
  readonly remote: { uri: string; sdp: string };
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly req: SrfRequest;
  readonly res: SrfResponseIn & { socket: unknown };
  destroy(options: { headers?: Headers }, callback: (error: unknown) => void): unknown;
  modify(sdp: string, options: object, callback: (error: unknown, sdp?: string) => void): unknown;
  modify(
    options: { noAck: true },
    callback: (error: unknown, sdp?: string, ack?: (sdp: string) => void) => void,
  ): unknown;
  request(
    options: { method: string; headers?: Headers; body?: string },
    callback: (error: unknown, response?: SrfResponseIn) => void,
  ): unknown;
  on(event: 'destroy', run: (request: SrfRequest, reason: string) => void): this;
  on(event: 'ack' | 'unsubscribe', run: (request: SrfRequest) => void): this;
  on(
    event: 'modify' | 'info' | 'refer' | 'message' | 'notify' | 'options' | 'update' | 'publish' | 'subscribe',
    run: (request: SrfRequest, response: SrfResponse) => void,
  ): this;
}

export interface UacOptions {
  localSdp?: string;
  headers?: Record<string, string>;
  /** Next hop instead of the one the Request-URI names. */
  proxy?: string;
  auth?: { username: string; password: string };
}

export interface UacProgress {
  cbRequest(error: unknown, request?: SrfRequest): void;
  cbProvisional(response: SrfResponseIn): void;
}

export type Middleware = (request: SrfRequest, response: SrfResponse, next: () => void) => void;

export interface SrfClient {
  connect(options: {
    host: string;
    port: number;
    secret: string;
    tls?: ConnectionOptions;
    reconnect: { retryMaxDelay: number; maxAttempts?: number };
  }): unknown;
  disconnect(): void;
  use(middleware: Middleware): void;
  use(method: string, middleware: Middleware): void;
  createUAC(
    uri: string,
    options: UacOptions,
    progress: UacProgress,
    callback: (error: unknown, dialog?: SrfDialog) => void,
  ): unknown;
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: { localSdp: string; headers?: Record<string, string> },
    callback: (error: unknown, dialog?: SrfDialog) => void,
  ): unknown;
  request(
    uri: string,
    options: { method: string; headers: Headers; body?: string; proxy?: string },
    callback: (
      error: unknown,
      request?: { on(event: 'response', run: (response: SrfResponseIn) => void): void },
    ) => void,
  ): unknown;
  on(event: 'connect', run: (error: unknown, hostPorts: string) => void): this;
  on(event: 'error', run: (error: Error) => void): this;
  on(event: 'close' | 'reconnecting', run: () => void): this;
}
