import { createSocket, type Socket } from 'node:dgram';

// A process of its own: phones that ring for 100 ms, pick up and wait for the end. node answering-phones.ts COUNT, with a channel to
// its parent: says the ports, and for each 'counts' what every phone has seen.
//
// SIPp is no such phone where messages come twice: it gives up a call whose INVITE is sent again after its 200, and never
// answers the BYE of it. These do what RFC 3261 asks of a telephone (13.3.1.4, 17.2): every request that comes again gets the same answer,
// a 200 is sent again until it is acknowledged.

export interface PhoneCounts {
  /** Calls that rang here. */
  readonly rung: number;
  /** Acknowledged, and ended by a BYE. */
  readonly ended: number;
  /** Picked up, and never acknowledged or never ended so far. */
  readonly open: number;
  /** Requests that came again. */
  readonly again: number;
}

export type PhonesSaid = { readonly ports: readonly number[] } | { readonly counts: readonly PhoneCounts[] };

interface Ringing {
  readonly invite: string;
  state: 'ringing' | 'answered' | 'talking' | 'cancelled' | 'over';
  answer: string;
  waitMs: number;
  sent: number;
}

const ringsMs = 100;
const t1Ms = 500;
const t2Ms = 4_000;
/** 64 times T1: the answer has never been acknowledged. */
const sends = 11;

class Phone {
  readonly socket: Socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4_000_000,
    lookup: (address, _, done) => done(null, address, 4),
  });
  readonly #calls = new Map<string, Ringing>();
  #rung = 0;
  #ended = 0;
  #again = 0;

  async open(): Promise<number> {
    this.socket.on('message', (bytes, from) => this.#received(bytes.toString('latin1'), from.port));
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve));
    return this.socket.address().port;
  }

  get counts(): PhoneCounts {
    const open = [...this.#calls.values()].filter(({ state }) => state === 'answered' || state === 'talking').length;
    return { rung: this.#rung, ended: this.#ended, open, again: this.#again };
  }

  #received(text: string, port: number): void {
    const id = header(text, 'Call-ID');
    const call = this.#calls.get(id);
    switch (text.slice(0, text.indexOf(' '))) {
      case 'INVITE':
        return this.#invited(call, id, text, port);
      case 'ACK':
        if (call?.state === 'answered') call.state = 'talking';
        return;
      case 'BYE':
        if (call?.state === 'talking' || call?.state === 'answered') {
          call.state = 'over';
          this.#ended++;
        } else this.#again++;
        return this.#say(reply(text, call === undefined ? '481 Unknown' : '200 OK'), port);
      case 'CANCEL':
        this.#say(reply(text, '200 OK'), port);
        if (call?.state !== 'ringing') return;
        call.state = 'cancelled';
        call.answer = reply(call.invite, '487 Request Terminated');
        return this.#say(call.answer, port);
      default:
        this.#say(reply(text, '200 OK'), port);
    }
  }

  #invited(known: Ringing | undefined, id: string, text: string, port: number): void {
    if (known !== undefined) {
      this.#again++;
      return this.#say(known.answer, port);
    }
    this.#rung++;
    const call: Ringing = { invite: text, state: 'ringing', answer: '', waitMs: t1Ms, sent: 0 };
    const contact = `Contact: <sip:phone@127.0.0.1:${this.socket.address().port}>\r\n`;
    call.answer = reply(text, '180 Ringing', contact);
    this.#calls.set(id, call);
    this.#say(call.answer, port);
    setTimeout(() => {
      if (call.state !== 'ringing') return;
      call.state = 'answered';
      call.answer = reply(text, '200 OK', `${contact}Content-Type: application/sdp\r\n`, sdp);
      this.#sayUntilAcknowledged(call, port);
    }, ringsMs);
    // Long after the last transaction of it.
    setTimeout(() => this.#calls.delete(id), 120_000).unref();
  }

  #sayUntilAcknowledged(call: Ringing, port: number): void {
    if (call.state !== 'answered' || call.sent++ === sends) return;
    this.#say(call.answer, port);
    setTimeout(() => this.#sayUntilAcknowledged(call, port), call.waitMs).unref();
    call.waitMs = Math.min(call.waitMs * 2, t2Ms);
  }

  #say(text: string, port: number): void {
    this.socket.send(text, port, '127.0.0.1');
  }
}

const sdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n';

function header(text: string, name: string): string {
  const from = text.indexOf(`\r\n${name}: `) + name.length + 4;
  return text.slice(from, text.indexOf('\r\n', from));
}

function reply(request: string, status: string, more = '', body = ''): string {
  const vias = [...request.slice(0, request.indexOf('\r\n\r\n')).matchAll(/\r\nVia: [^\r]*/g)].join('');
  const to = header(request, 'To');
  const lines = [
    `From: ${header(request, 'From')}`,
    `To: ${/;tag=/.test(to) ? to : `${to};tag=a${process.pid}`}`,
    `Call-ID: ${header(request, 'Call-ID')}`,
    `CSeq: ${header(request, 'CSeq')}`,
  ];
  return `SIP/2.0 ${status}${vias}\r\n${lines.join('\r\n')}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const phones = Array.from({ length: Number(process.argv[2]) }, () => new Phone());
const say = (said: PhonesSaid) => process.send?.(said);
process.on('message', () => say({ counts: phones.map(({ counts }) => counts) }));
process.on('disconnect', () => process.exit(0));
say({ ports: await Promise.all(phones.map((phone) => phone.open())) });
