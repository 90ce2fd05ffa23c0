import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';

// A process of its own: many phones that are switched on within some seconds, each with the password that it is told.
// node storm.ts HOST:PORT FIRST COUNT SECONDS PASSWORD. Prints one line of JSON when the last phone is registered or has
// given up. Digest is SHA-256 (RFC 7616), timers are those of RFC 3261 17.1.2 over UDP.

/** What it prints. */
export interface StormResult {
  readonly phones: number;
  readonly registered: number;
  /** Refused, or 64 s without being registered. */
  readonly failed: number;
  /** How many were refused with which status. */
  readonly refusedWith: Readonly<Record<number, number>>;
  readonly retransmitted: number;
  /** Answers of 503 with Retry-After, after which the phone came again. */
  readonly toldToWait: number;
  /** From the first REGISTER of the first phone to the 200 of the last. */
  readonly tookMs: number;
  /** From a phone's first REGISTER to its 200. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [server = '', first = '', count = '', seconds = '', password = ''] = process.argv.slice(2);
const [host = '', port = ''] = server.split(':');
const phones = Number(count);
const t1Ms = 500;
const t2Ms = 4_000;
const giveUpMs = 64_000;
const perSocket = 500;

interface Phone {
  readonly extension: string;
  readonly socket: Socket;
  readonly callId: string;
  readonly beganAt: number;
  cseq: number;
  hasAnswered: boolean;
  bytes: Buffer;
  nextAt: number;
  waitMs: number;
}

const waiting = new Map<string, Phone>();
const tookMs: number[] = [];
const refusedWith: Record<number, number> = {};
let [failed, retransmitted, toldToWait, begun] = [0, 0, 0, 0];
const sockets = await Promise.all(Array.from({ length: Math.ceil(phones / perSocket) }, open));
const beganAt = performance.now();
const clock = setInterval(tick, 5);

async function open(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4_000_000,
    lookup: (address, _, done) => done(null, address, 4),
  });
  socket.on('message', (bytes) => answered(bytes.toString('latin1')));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

function tick(): void {
  const now = performance.now();
  const due = Math.min(phones, Math.ceil(((now - beganAt) / 1000 / Number(seconds)) * phones));
  while (begun < due) begin(begun++, now);
  for (const phone of waiting.values()) {
    if (now - phone.beganAt > giveUpMs) over(phone, false);
    else if (now >= phone.nextAt) {
      retransmitted++;
      phone.waitMs = Math.min(phone.waitMs * 2, t2Ms);
      send(phone, now);
    }
  }
  if (begun === phones && waiting.size === 0) finish();
}

function begin(index: number, now: number): void {
  const socket = sockets[Math.floor(index / perSocket)] as Socket;
  const phone = {
    extension: String(Number(first) + index),
    socket,
    callId: `${index}-${randomBytes(6).toString('hex')}`,
    beganAt: now,
    cseq: 0,
    hasAnswered: false,
    bytes: Buffer.alloc(0),
    nextAt: 0,
    waitMs: t1Ms,
  };
  waiting.set(phone.callId, phone);
  register(phone, '');
}

function register(phone: Phone, authorization: string): void {
  const { extension, socket, callId } = phone;
  const at = `127.0.0.1:${socket.address().port}`;
  const lines = [
    `REGISTER sip:${server} SIP/2.0`,
    `Via: SIP/2.0/UDP ${at};rport;branch=z9hG4bK${randomBytes(8).toString('hex')}`,
    'Max-Forwards: 70',
    `From: <sip:${extension}@${server}>;tag=${callId}`,
    `To: <sip:${extension}@${server}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${++phone.cseq} REGISTER`,
    `Contact: <sip:${extension}@${at}>`,
    'User-Agent: storm',
    'Expires: 3600',
    ...(authorization === '' ? [] : [`Authorization: ${authorization}`]),
    'Content-Length: 0',
  ];
  phone.bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  phone.waitMs = t1Ms;
  send(phone, performance.now());
}

function send(phone: Phone, now: number): void {
  phone.nextAt = now + phone.waitMs;
  phone.socket.send(phone.bytes, Number(port), host);
}

function answered(text: string): void {
  const phone = waiting.get(/^Call-ID: (.*)\r$/im.exec(text)?.[1] ?? '');
  const isOfLast = Number(/^CSeq: (\d+)/im.exec(text)?.[1]) === phone?.cseq;
  if (phone === undefined || !isOfLast) return;
  const status = Number(text.slice(8, 11));
  if (status < 200) return;
  const retryAfter = Number(/^Retry-After: (\d+)/im.exec(text)?.[1]);
  if (status === 503 && retryAfter > 0) return comeAgain(phone, retryAfter);
  if (status === 401 && !phone.hasAnswered) {
    phone.hasAnswered = true;
    return register(phone, answer(text, phone.extension));
  }
  if (status !== 200) refusedWith[status] = (refusedWith[status] ?? 0) + 1;
  over(phone, status === 200);
}

function comeAgain(phone: Phone, seconds: number): void {
  // What was sent again is refused again: told once is enough.
  if (phone.nextAt === Number.POSITIVE_INFINITY) return;
  toldToWait++;
  phone.nextAt = Number.POSITIVE_INFINITY;
  phone.hasAnswered = false;
  setTimeout(() => {
    // Meanwhile the copy of it that was sent again may have been taken.
    if (waiting.has(phone.callId) && phone.nextAt === Number.POSITIVE_INFINITY) register(phone, '');
  }, seconds * 1000);
}

function answer(text: string, user: string): string {
  const challenge = /^WWW-Authenticate: (Digest [^\r]*algorithm=SHA-256[^\r]*)\r$/im.exec(text)?.[1] ?? '';
  const value = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const [realm, nonce, uri] = [value('realm'), value('nonce'), `sip:${server}`];
  const cnonce = randomBytes(6).toString('hex');
  const [ha1, ha2] = [sha256(`${user}:${realm}:${password}`), sha256(`REGISTER:${uri}`)];
  const response = sha256(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`);
  return (
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ` +
    `algorithm=SHA-256, qop=auth, nc=00000001, cnonce="${cnonce}"`
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function over(phone: Phone, isGood: boolean): void {
  waiting.delete(phone.callId);
  if (isGood) tookMs.push(performance.now() - phone.beganAt);
  else failed++;
}

function finish(): void {
  clearInterval(clock);
  for (const socket of sockets) socket.close();
  tookMs.sort((a, b) => a - b);
  const at = (part: number) => Math.round((tookMs[Math.floor(tookMs.length * part)] ?? Number.NaN) * 10) / 10;
  const result: StormResult = {
    phones,
    registered: tookMs.length,
    failed,
    refusedWith,
    retransmitted,
    toldToWait,
    tookMs: Math.round(performance.now() - beganAt),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
  console.log(JSON.stringify(result));
}
