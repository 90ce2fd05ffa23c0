/** A plain event socket client, either way round: what telnet shows, cut into messages. */
import { EventEmitter, on, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PATIENCE_MS } from './processes.ts';

export interface EslMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body of an event in JSON. */
  readonly event: Readonly<Record<string, string>>;
}

export class EslClient {
  readonly socket: Socket;
  readonly messages: EslMessage[] = [];
  readonly #emitter = new EventEmitter();
  #buffer = Buffer.alloc(0);
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#emitter.emit('message');
    });
  }

  static async dial(port: number): Promise<EslClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new EslClient(socket);
    await client.next((m) => m.headers['Content-Type'] === 'auth/request');
    return client;
  }

  static async member(port: number, secret: string): Promise<EslClient> {
    const client = await EslClient.dial(port);
    await client.command(`auth ${secret}`);
    return client;
  }

  /** Sends lines and resolves with the reply that comes next. */
  async command(text: string): Promise<EslMessage> {
    const from = this.messages.length;
    this.socket.write(`${text}\n\n`);
    return this.next((m) => /^(command\/reply|api\/response)$/.test(m.headers['Content-Type'] ?? ''), from);
  }

  async api(text: string): Promise<string> {
    return (await this.command(`api ${text}`)).body;
  }

  async event(
    name: string,
    isIt: (event: Readonly<Record<string, string>>) => boolean = () => true,
    from = 0,
  ): Promise<EslMessage['event']> {
    return (await this.next((m) => m.event['Event-Name'] === name && isIt(m.event), from)).event;
  }

  /** The first message from there on that fits; rejects when the other side closes or when it never comes. */
  async next(fits: (message: EslMessage) => boolean, from = 0): Promise<EslMessage> {
    let at = from;
    const look = () => {
      for (; at < this.messages.length; at++) if (fits(this.messages[at]!)) return this.messages[at];
      return undefined;
    };
    const found = look();
    if (found !== undefined) return found;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for await (const _ of on(this.#emitter, 'message', { signal })) {
      const message = look();
      if (message !== undefined) return message;
      if (this.isClosed) break;
    }
    throw new Error('the event socket has closed');
  }

  async closed(): Promise<void> {
    if (!this.isClosed) await this.next(() => false).catch(() => {});
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\n\n');
      if (end === -1) return;
      const headers = lines(this.#buffer.toString('utf8', 0, end));
      const size = Number(headers['Content-Length'] ?? 0);
      if (this.#buffer.length < end + 2 + size) return;
      const body = this.#buffer.toString('utf8', end + 2, end + 2 + size);
      this.#buffer = this.#buffer.subarray(end + 2 + size);
      const isJson = headers['Content-Type'] === 'text/event-json';
      this.messages.push({ headers, body, event: isJson ? JSON.parse(body) : {} });
      this.#emitter.emit('message');
    }
  }
}

function lines(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(': ')), decodeURIComponent(line.slice(line.indexOf(': ') + 2))]),
  );
}

/** An application that waits for outbound sockets. */
export class EslApplication {
  readonly #server: Server;
  readonly #waiting: EslClient[] = [];
  readonly #emitter = new EventEmitter();

  private constructor(server: Server) {
    this.#server = server;
    this.#emitter.setMaxListeners(0);
    server.on('connection', (socket) => {
      this.#waiting.push(new EslClient(socket));
      this.#emitter.emit('connection');
    });
  }

  static async open(): Promise<EslApplication> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new EslApplication(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next leg's socket, and its channel data. */
  async accept(): Promise<{ esl: EslClient; uuid: string; data: Readonly<Record<string, string>> }> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (this.#waiting.length === 0) await once(this.#emitter, 'connection', { signal });
    const esl = this.#waiting.shift()!;
    const { headers } = await esl.command('connect');
    await esl.command('event json ALL');
    await esl.command(`filter Unique-ID ${headers['Unique-ID']}`);
    return { esl, uuid: headers['Unique-ID'] ?? '', data: headers };
  }

  close(): void {
    this.#server.close();
    for (const esl of this.#waiting) esl.close();
  }
}
