import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { PATIENCE_MS } from './processes.ts';
import { answerChallenge } from './telephony.ts';

/** A SIP message as a phone sees it: text, no library of ours. */
export interface Message {
  readonly text: string;
  readonly start: string;
  /** '' for a response. */
  readonly method: string;
  /** 0 for a request. */
  readonly status: number;
  readonly body: string;
  /** Every value of a header, full names only. */
  all(name: string): readonly string[];
  /** The first value, '' without one. */
  get(name: string): string;
}

export interface Call {
  readonly callId: string;
  readonly localTag: string;
  readonly target: string;
  /** In From instead of the phone's own user. */
  readonly shownAs?: string;
  cseq: number;
  remoteTag: string;
  remoteTarget: string;
}

/** A telephone that does exactly what the test says and nothing by itself, over one socket. */
export class RawPhone {
  readonly user: string;
  readonly transport: 'udp' | 'tcp';
  readonly port: number;
  readonly inbox: Message[] = [];
  readonly #send: (text: string) => void;
  readonly #close: () => void;
  readonly #waiting: { match: (message: Message) => boolean; take: (message: Message) => void }[] = [];
  #registerCseq = 0;
  readonly #registerCallId = id();

  private constructor(
    user: string,
    transport: 'udp' | 'tcp',
    port: number,
    send: (text: string) => void,
    close: () => void,
  ) {
    this.user = user;
    this.transport = transport;
    this.port = port;
    this.#send = send;
    this.#close = close;
  }

  static async open(
    user: string,
    server: { udp: number; tcp: number },
    transport: 'udp' | 'tcp' = 'udp',
    localIp = '127.0.0.1',
  ): Promise<RawPhone> {
    if (transport === 'udp') {
      const socket = dgram.createSocket('udp4');
      socket.bind(0, localIp);
      await once(socket, 'listening');
      const { port } = socket.address();
      const phone: RawPhone = new RawPhone(
        user,
        transport,
        port,
        (text) => socket.send(text, server.udp, '127.0.0.1'),
        () => socket.close(),
      );
      socket.on('message', (bytes) => phone.#receive(bytes.toString()));
      return phone;
    }
    const socket = net.connect(server.tcp, '127.0.0.1');
    await once(socket, 'connect');
    const { port } = socket.address() as AddressInfo;
    const phone: RawPhone = new RawPhone(
      user,
      transport,
      port,
      (text) => socket.write(text),
      () => socket.destroy(),
    );
    let buffered = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      buffered += bytes.toString();
      for (;;) {
        const end = buffered.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/^content-length:\s*(\d+)/im.exec(buffered.slice(0, end))?.[1] ?? 0);
        if (buffered.length < end + 4 + length) return;
        phone.#receive(buffered.slice(0, end + 4 + length));
        buffered = buffered.slice(end + 4 + length);
      }
    });
    return phone;
  }

  close(): void {
    this.#close();
  }

  /** Names this telephone and no other, as real ones do. */
  get contact(): string {
    return `<sip:${this.user}-${this.port}@127.0.0.1:${this.port}${this.transport === 'tcp' ? ';transport=tcp' : ''}>`;
  }

  /** The next message that matches and was not taken yet. */
  next(what: string, match: (message: Message) => boolean): Promise<Message> {
    const at = this.inbox.findIndex(match);
    if (at >= 0) return Promise.resolve(this.inbox.splice(at, 1)[0] as Message);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = this.inbox.map(({ start }) => start).join(' | ');
        reject(new Error(`${this.user}: waited in vain for ${what}; unread: ${seen}`));
      }, PATIENCE_MS);
      this.#waiting.push({
        match,
        take: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  nextRequest(method: string): Promise<Message> {
    return this.next(method, (message) => message.method === method);
  }

  /** Final response, or the provisional asked for. */
  nextResponse(call: { callId: string }, method: string, status?: number): Promise<Message> {
    return this.next(
      `${status ?? 'final'} to ${method}`,
      (message) =>
        message.get('Call-ID') === call.callId &&
        message.get('CSeq').endsWith(method) &&
        (status === undefined ? message.status >= 200 : message.status === status),
    );
  }

  request(
    method: string,
    uri: string,
    as: { call: Call; cseq: number; headers?: readonly string[]; body?: string; branch?: string },
  ): void {
    const { call, cseq, headers = [], body = '', branch = `z9hG4bK${id()}` } = as;
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${this.transport.toUpperCase()} 127.0.0.1:${this.port};branch=${branch};rport`,
      ...(headers.some((header) => header.startsWith('Max-Forwards')) ? [] : ['Max-Forwards: 70']),
      `From: <sip:${call.shownAs ?? this.user}@wardline>;tag=${call.localTag}`,
      `To: <${call.target}>${call.remoteTag === '' ? '' : `;tag=${call.remoteTag}`}`,
      `Call-ID: ${call.callId}`,
      `CSeq: ${cseq} ${method}`,
      'User-Agent: raw-phone',
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  respond(
    to: Message,
    status: number,
    options: { headers?: readonly string[]; body?: string; tag?: string } = {},
  ): void {
    const { headers = [], body = '', tag = 'called' } = options;
    const hasTag = /;tag=/.test(to.get('To'));
    const lines = [
      `SIP/2.0 ${status} Because`,
      ...to.all('Via').map((via) => `Via: ${via}`),
      `From: ${to.get('From')}`,
      `To: ${to.get('To')}${hasTag ? '' : `;tag=${tag}`}`,
      `Call-ID: ${to.get('Call-ID')}`,
      `CSeq: ${to.get('CSeq')}`,
      `Contact: ${this.contact}`,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#send(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** REGISTER with the answer to the challenge; resolves with the last response. */
  async register(
    options: { contact?: string; expires?: number; algorithm?: 'SHA-256' | 'MD5'; password?: string; to?: string } = {},
  ): Promise<Message> {
    const { contact = this.contact, expires = 600, algorithm = 'SHA-256', password = `secret-${this.user}` } = options;
    const { to = `sip:${this.user}@wardline` } = options;
    const call: Call = { ...this.#newCall(to), callId: this.#registerCallId };
    const headers = [...(contact === '' ? [] : [`Contact: ${contact}`]), `Expires: ${expires}`];
    const send = async (extra: readonly string[]): Promise<Message> => {
      this.#registerCseq += 1;
      this.request('REGISTER', 'sip:wardline', { call, cseq: this.#registerCseq, headers: [...headers, ...extra] });
      return this.nextResponse(call, 'REGISTER');
    };
    const first = await send([]);
    if (first.status !== 401) return first;
    const challenge = first.all('WWW-Authenticate').find((line) => line.includes(`algorithm=${algorithm}`)) ?? '';
    const as = { username: this.user, password, method: 'REGISTER', uri: 'sip:wardline' };
    return send([`Authorization: ${answerChallenge(challenge, as)}`]);
  }

  /** INVITE; answers the challenge and acknowledges it. Responses are left in the inbox. */
  async invite(
    number: string,
    options: {
      body?: string;
      password?: string;
      headers?: readonly string[];
      isTrunk?: boolean;
      type?: string;
      shownAs?: string;
    } = {},
  ): Promise<{ call: Call; branch: string }> {
    const {
      body = '',
      password = `secret-${this.user}`,
      headers = [],
      isTrunk = false,
      shownAs = this.user,
      type = 'application/sdp',
    } = options;
    const uri = `sip:${number}@wardline`;
    const call = { ...this.#newCall(uri), shownAs };
    const typed = body === '' ? headers : [...headers, `Content-Type: ${type}`];
    const all = [`Contact: ${this.contact}`, ...typed];
    let branch = `z9hG4bK${id()}`;
    this.request('INVITE', uri, { call, cseq: 1, headers: all, body, branch });
    if (isTrunk) return { call, branch };
    const challenged = await this.nextResponse(call, 'INVITE');
    this.#ackFailure(call, uri, 1, challenged, branch);
    call.cseq = 2;
    const [sha = ''] = challenged.all('WWW-Authenticate');
    const answer = answerChallenge(sha, { username: this.user, password, method: 'INVITE', uri });
    branch = `z9hG4bK${id()}`;
    this.request('INVITE', uri, { call, cseq: 2, headers: [...all, `Authorization: ${answer}`], body, branch });
    return { call, branch };
  }

  /** ACK of a 200; fixes the dialog. */
  acknowledge(call: Call, answer: Message, body = ''): void {
    call.remoteTag = /;tag=([^;>\s]+)/.exec(answer.get('To'))?.[1] ?? '';
    call.remoteTarget = /<([^>]+)>/.exec(answer.get('Contact'))?.[1] ?? '';
    const headers = body === '' ? [] : ['Content-Type: application/sdp'];
    this.request('ACK', call.remoteTarget, { call, cseq: call.cseq, headers, body });
  }

  ackFailure(call: Call, answer: Message, branch: string): void {
    this.#ackFailure(call, call.target, call.cseq, answer, branch);
  }

  cancel(call: Call, branch: string): void {
    this.request('CANCEL', call.target, { call, cseq: call.cseq, branch });
  }

  /** Any request inside the dialog of a call we made. */
  inDialog(call: Call, method: string, headers: readonly string[] = [], body = ''): void {
    call.cseq += 1;
    const all = method === 'INVITE' ? [`Contact: ${this.contact}`, ...headers] : headers;
    this.request(method, call.remoteTarget, { call, cseq: call.cseq, headers: all, body });
  }

  /** The dialog of a call we answered, to send requests in. */
  dialogOf(invite: Message, tag = 'called'): Call {
    const from = invite.get('From');
    return {
      callId: invite.get('Call-ID'),
      localTag: tag,
      target: /<([^>]+)>/.exec(from)?.[1] ?? '',
      remoteTag: /;tag=([^;>\s]+)/.exec(from)?.[1] ?? '',
      remoteTarget: /<([^>]+)>/.exec(invite.get('Contact'))?.[1] ?? '',
      cseq: 100,
    };
  }

  #ackFailure(call: Call, uri: string, cseq: number, answer: Message, branch: string): void {
    const tag = /;tag=([^;>\s]+)/.exec(answer.get('To'))?.[1] ?? '';
    this.request('ACK', uri, { call: { ...call, remoteTag: tag }, cseq, branch });
  }

  #newCall(target: string): Call {
    return { callId: id(), localTag: id(), target, cseq: 1, remoteTag: '', remoteTarget: '' };
  }

  #receive(text: string): void {
    const message = parse(text);
    const at = this.#waiting.findIndex(({ match }) => match(message));
    if (at < 0) this.inbox.push(message);
    else this.#waiting.splice(at, 1)[0]?.take(message);
  }
}

function parse(text: string): Message {
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon).trim().toLowerCase(), value: line.slice(colon + 1).trim() };
  });
  const all = (name: string): readonly string[] =>
    headers.filter((header) => header.name === name.toLowerCase()).map(({ value }) => value);
  const status = Number(/^SIP\/2\.0 (\d{3})/.exec(start)?.[1] ?? 0);
  return {
    text,
    start,
    method: status === 0 ? (start.split(' ', 1)[0] ?? '') : '',
    status,
    body: text.slice(end + 4),
    all,
    get: (name) => all(name)[0] ?? '',
  };
}

function id(): string {
  return randomBytes(8).toString('hex');
}
