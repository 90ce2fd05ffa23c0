import t from 'tap';
import {
  type Dialog,
  type DialogEnding,
  type EndpointHandlers,
  Headers,
  type IncomingRequest,
  SipEndpoint,
  type SipRequest,
  type SipResponse,
} from '../../src/sip/index.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** One side of a call, which writes down what it is told. */
class Phone {
  readonly requests: IncomingRequest[] = [];
  readonly cancelled: string[] = [];
  readonly acks: SipRequest[] = [];
  readonly endings: DialogEnding['why'][] = [];
  readonly responses: [number, number][] = [];
  dialog: Dialog | undefined;
  endpoint!: SipEndpoint;
  readonly #clock: VirtualClock;
  onRequest: (incoming: IncomingRequest) => void = () => {};
  onResponse: (response: SipResponse, dialog: Dialog | undefined) => void = () => {};

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  get handlers(): EndpointHandlers {
    return {
      onRequest: (incoming) => {
        this.requests.push(incoming);
        this.onRequest(incoming);
      },
      onCancelled: (_incoming, by) => void this.cancelled.push(by.method),
      onAck: (_dialog, ack) => void this.acks.push(ack),
      onDialogEnded: (_dialog, ending) => void this.endings.push(ending.why),
    };
  }

  get port(): number {
    return this.endpoint.addresses[0]?.port ?? 0;
  }

  request(method: string, to: Phone) {
    const result = this.endpoint.request(
      { method, uri: `sip:bob@127.0.0.1:${to.port}` },
      {
        onResponse: (response, { dialog }) => {
          this.responses.push([this.#clock.now(), response.status]);
          this.dialog = dialog ?? this.dialog;
          this.onResponse(response, dialog);
        },
      },
    );
    if (result.kind === 'refused') throw new Error(result.why);
    return result.outgoing;
  }
}

async function aPair() {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const alice = new Phone(clock);
  const bob = new Phone(clock);
  for (const phone of [alice, bob]) {
    const listen = [{ protocol: 'udp', host: '127.0.0.1', port: 0 }] as const;
    phone.endpoint = await SipEndpoint.open({ listen, handlers: phone.handlers, clock, network });
  }
  return { clock, network, alice, bob };
}

/** A call that is answered and acknowledged. */
async function anAnsweredCall() {
  const all = await aPair();
  const { clock, alice, bob } = all;
  bob.onRequest = (incoming) => {
    if (incoming.request.method === 'INVITE') incoming.respond(200, { body: Buffer.from('v=0\r\n') });
  };
  alice.onResponse = (response, dialog) => {
    if (response.status === 200) dialog?.ack();
  };
  alice.request('INVITE', bob);
  clock.advance(10);
  const bobs = bob.requests[0]?.dialog;
  if (alice.dialog === undefined || bobs === undefined) throw new Error('the call was not set up');
  return { ...all, alices: alice.dialog, bobs };
}

const nothing = { dialogs: 0, clients: 0, servers: 0 };
const times = (list: [number, string][]): number[] => list.map(([at]) => at);

void t.test('timers A and B: an INVITE into the void is sent 7 times and ends with 408 at 32 s', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  network.loses = () => true;
  alice.request('INVITE', bob);
  clock.advance(40_000);
  t.same(times(network.sentFrom(alice.port)), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
  t.same(alice.responses, [[32_000, 408]]);
  t.same(alice.endpoint.counts.clients, 0);
});

void t.test('timer A stops at the first provisional', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  alice.request('INVITE', bob);
  clock.advance(600);
  t.same(network.sentFrom(bob.port), [[201, '100 INVITE']], '100 after 200 ms of silence');
  t.same(times(network.sentFrom(alice.port)), [0]);
  clock.advance(60_000);
  t.same(network.sentFrom(alice.port).length, 1);
  t.same(alice.responses, [], '100 is not news');
});

void t.test('timers E and F: a request into the void', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  network.loses = () => true;
  alice.request('OPTIONS', bob);
  clock.advance(40_000);
  const expected = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
  t.same(times(network.sentFrom(alice.port)), expected);
  t.same(alice.responses, [[32_000, 408]]);
});

void t.test('timers G and H: a failure is repeated until its ACK, at most 32 s', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(486);
  network.loses = (packet) => packet.what === 'ACK';
  alice.request('INVITE', bob);
  clock.advance(33_100);
  const expected = [1, 501, 1_501, 3_501, 7_501, 11_501, 15_501, 19_501, 23_501, 27_501, 31_501];
  t.same(times(network.sentFrom(bob.port)), expected);
  t.same(network.sentFrom(alice.port, 'ACK').length, expected.length, 'each repetition is acknowledged again');
  t.same(alice.responses.length, 1, 'the failure is reported once');
  clock.advance(33_000);
  t.same([alice.endpoint.counts, bob.endpoint.counts], [nothing, nothing]);
});

void t.test('timer I: the machine of an acknowledged failure lives 5 s and absorbs', async (t) => {
  const { clock, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(486);
  alice.request('INVITE', bob);
  clock.advance(5_002);
  t.same(bob.endpoint.counts.servers, 1);
  clock.advance(1);
  t.same(bob.endpoint.counts.servers, 0);
});

void t.test('timers J and K: 32 s and 5 s', async (t) => {
  const { clock, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(200);
  alice.request('OPTIONS', bob);
  clock.advance(5_001);
  t.same(alice.endpoint.counts.clients, 1);
  clock.advance(1);
  t.same(alice.endpoint.counts.clients, 0);
  clock.advance(26_998);
  t.same(bob.endpoint.counts.servers, 1);
  clock.advance(1);
  t.same(bob.endpoint.counts.servers, 0);
});

void t.test('a repeated request gets the same answer and is shown once', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(200);
  network.loses = (packet) => packet.what === '200 OPTIONS' && packet.atMs < 400;
  alice.request('OPTIONS', bob);
  clock.advance(2_000);
  t.same(network.sentFrom(bob.port), [
    [1, '200 OPTIONS'],
    [501, '200 OPTIONS'],
  ]);
  t.same(bob.requests.length, 1);
  t.same(alice.responses, [[502, 200]]);
});

void t.test('a lost 200 is repeated until the ACK; a repeated 200 gets the stored ACK', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(200);
  alice.onResponse = (_response, dialog) => void dialog?.ack({ headers: new Headers().add('X-Story', 'kept') });
  network.loses = (packet) =>
    (packet.what === '200 INVITE' && packet.atMs < 1_000) || (packet.what === 'ACK' && packet.atMs < 2_000);
  alice.request('INVITE', bob);
  clock.advance(60_000);
  t.same(times(network.sentFrom(bob.port, '200 INVITE')), [1, 501, 1_501, 3_501]);
  const acks = network.packets.filter((packet) => packet.what === 'ACK');
  t.same(
    acks.map((packet) => packet.atMs),
    [1_502, 3_502],
  );
  t.same(acks[0]?.text, acks[1]?.text);
  t.match(acks[0]?.text, /X-Story: kept/);
  t.same(bob.acks.length, 1);
  t.same(alice.responses.length, 1);
});

void t.test('no ACK for 32 s: BYE with the reason, told once', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(200);
  alice.onRequest = (incoming) => void incoming.respond(200);
  alice.request('INVITE', bob);
  clock.advance(32_000);
  t.same(bob.endings, []);
  clock.advance(10);
  t.same(
    times(network.sentFrom(bob.port, '200 INVITE')),
    [1, 501, 1_501, 3_501, 7_501, 11_501, 15_501, 19_501, 23_501, 27_501, 31_501],
  );
  t.same(network.sentFrom(bob.port, 'BYE'), [[32_001, 'BYE']]);
  t.match(network.packets.find((packet) => packet.what === 'BYE')?.text, /Reason: SIP ;cause=200 ;text="ACK timeout"/);
  t.same([bob.endings, alice.endings], [['ackTimeout'], ['byeReceived']]);
});

void t.test('CANCEL waits for a provisional, gets 200, and the INVITE 487', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => {
    clock.after(100, () => incoming.respond(180));
  };
  const outgoing = alice.request('INVITE', bob);
  const cancel = outgoing.cancel(new Headers().add('Reason', 'SIP;cause=200;text="Call completed elsewhere"'));
  t.match(cancel?.headers.get('Reason'), /cause=200/);
  clock.advance(90);
  t.same(network.sentFrom(alice.port, 'CANCEL'), []);
  clock.advance(100);
  t.same(network.sentFrom(alice.port, 'CANCEL'), [[102, 'CANCEL']]);
  t.same(
    network.sentFrom(bob.port).map(([, what]) => what),
    ['180 INVITE', '200 CANCEL', '487 INVITE'],
  );
  t.same(bob.cancelled, ['CANCEL']);
  t.same(
    alice.responses.map(([, status]) => status),
    [180, 487],
  );
  t.same(bob.requests[0]?.respond(200), undefined, 'too late to answer');
  clock.advance(60_000);
  t.same([alice.endpoint.counts, bob.endpoint.counts], [nothing, nothing]);
});

void t.test('a cancelled INVITE that nobody ends is forgotten after 32 s', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(180);
  const outgoing = alice.request('INVITE', bob);
  clock.advance(10);
  network.loses = () => true;
  outgoing.cancel();
  clock.advance(31_999);
  t.same(
    alice.responses.map(([, status]) => status),
    [180],
  );
  clock.advance(2);
  t.same(
    alice.responses.map(([, status]) => status),
    [180, 408],
  );
  t.same(alice.endpoint.counts.clients, 0);
});

void t.test('CANCEL crossing the 200: the call is answered and can be ended', async (t) => {
  const { clock, alice, bob } = await aPair();
  bob.onRequest = (incoming) => {
    if (incoming.request.method !== 'INVITE') return void incoming.respond(200);
    incoming.respond(180);
    clock.after(50, () => incoming.respond(200));
  };
  const outgoing = alice.request('INVITE', bob);
  clock.advance(51);
  outgoing.cancel();
  clock.advance(100);
  t.same(bob.cancelled, []);
  t.same(
    alice.responses.map(([, status]) => status),
    [180, 200],
  );
  alice.dialog?.ack();
  alice.dialog?.bye();
  clock.advance(10);
  t.same([alice.endings, bob.endings], [['byeSent'], ['byeReceived']]);
});

void t.test('in a dialog: INFO, re-INVITE both ways, BYE; then 481', async (t) => {
  const { clock, network, alice, bob, alices, bobs } = await anAnsweredCall();
  const seen: string[] = [];
  const say = (response: SipResponse) => void seen.push(String(response.status));
  bob.onRequest = (incoming) => void incoming.respond(200);
  alice.onRequest = (incoming) => void incoming.respond(200);
  alices.request('INFO', { body: Buffer.from('Signal=5') }, { onResponse: say });
  clock.advance(10);
  t.equal(bob.requests.at(-1)?.dialog, bobs);
  bobs.request('INVITE', {}, { onResponse: (response) => (say(response), bobs.ack()) });
  clock.advance(10);
  alices.request('INVITE', {}, { onResponse: (response) => (say(response), alices.ack()) });
  clock.advance(10);
  bobs.bye({}, { onResponse: say });
  clock.advance(10);
  t.same(seen, ['200', '200', '200', '200']);
  t.same([alice.acks.length, bob.acks.length], [1, 2]);
  t.same([alice.endings, bob.endings], [['byeReceived'], ['byeSent']]);
  alices.request('INFO', {}, { onResponse: say });
  clock.advance(10);
  t.same(seen.at(-1), '481');
  const cseqs = network.packets
    .filter((packet) => packet.from === alice.port)
    .map((packet) => /CSeq: (.*)/.exec(packet.text)?.[1]);
  t.equal(new Set(cseqs).size, cseqs.length, 'no CSeq is used twice');
});

void t.test('INVITE glare: both get 491', async (t) => {
  const { clock, alice, bob, alices, bobs } = await anAnsweredCall();
  const seen: number[] = [];
  const say = { onResponse: (response: SipResponse) => void seen.push(response.status) };
  const before = [alice.requests.length, bob.requests.length];
  alices.request('INVITE', {}, say);
  bobs.request('INVITE', {}, say);
  clock.advance(100);
  t.same(seen, [491, 491]);
  t.same([alice.requests.length, bob.requests.length], before, 'neither was shown');
});

void t.test('a second INVITE while the first waits is told to come back', async (t) => {
  const { clock, network, alices, bob } = await anAnsweredCall();
  bob.onRequest = () => {};
  alices.request('INVITE', {}, { onResponse() {} });
  alices.request('INVITE', {}, { onResponse() {} });
  clock.advance(100);
  const refusal = network.packets.find((packet) => packet.what === '500 INVITE');
  t.match(refusal?.text, /Retry-After: \d/);
});

void t.test('a CSeq that is not higher is refused', async (t) => {
  const { clock, network, alice, bob, alices } = await anAnsweredCall();
  bob.onRequest = (incoming) => void incoming.respond(200);
  alices.request('INFO', {}, { onResponse() {} });
  clock.advance(10);
  const first = network.packets.findLast((packet) => packet.what === 'INFO');
  const socket = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  socket.send(Buffer.from((first?.text ?? '').replace(/branch=z9hG4bK/, 'branch=z9hG4bKother')), {
    host: '127.0.0.1',
    port: bob.port,
  });
  clock.advance(10);
  t.ok(network.packets.some((packet) => packet.what === '500 INFO'));
  t.ok(alice);
});

void t.test('BYE while a re-INVITE waits: the re-INVITE gets 487', async (t) => {
  const { clock, bob, alices } = await anAnsweredCall();
  bob.onRequest = (incoming) => void (incoming.request.method === 'BYE' && incoming.respond(200));
  const seen: number[] = [];
  const say = { onResponse: (response: SipResponse) => void seen.push(response.status) };
  alices.request('INVITE', {}, say);
  clock.advance(10);
  alices.bye({}, say);
  clock.advance(10);
  t.same(
    seen.toSorted((a, b) => a - b),
    [200, 487],
  );
  t.same(bob.endings, ['byeReceived']);
});

void t.test('BYE in the early dialog cancels the INVITE', async (t) => {
  const { clock, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(180);
  alice.request('INVITE', bob);
  clock.advance(10);
  alice.dialog?.bye();
  clock.advance(10);
  t.same(bob.cancelled, ['BYE']);
  t.same(
    alice.responses.map(([, status]) => status),
    [180, 487],
  );
});

void t.test('two branches answer: the first wins, the second is acknowledged and ended', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) =>
    void (incoming.request.method === 'INVITE' ? incoming.respond(200) : incoming.respond(200));
  alice.onResponse = (_response, dialog) => void dialog?.ack();
  alice.request('INVITE', bob);
  clock.advance(10);
  const answer = network.packets.find((packet) => packet.what === '200 INVITE');
  const fork = Buffer.from((answer?.text ?? '').replace(/^(To: .*;tag=).*$/m, '$1other'));
  const socket = await network.bindUdp({ host: '127.0.0.1', port: bob.port + 900 }, () => {});
  socket.send(fork, { host: '127.0.0.1', port: alice.port });
  socket.send(fork, { host: '127.0.0.1', port: alice.port });
  clock.advance(10);
  const toFork = network.packets.filter((packet) => packet.from === alice.port && packet.text.includes('tag=other'));
  t.same(
    toFork.map((packet) => packet.what),
    ['ACK', 'BYE', 'ACK'],
  );
  t.same(alice.responses.length, 1);
  t.equal(alice.dialog?.state, 'confirmed');
});

void t.test('the same INVITE over two paths is refused once with 482', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  alice.request('INVITE', bob);
  clock.advance(5);
  const invite = network.packets.find((packet) => packet.what === 'INVITE');
  const socket = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  socket.send(Buffer.from((invite?.text ?? '').replace(/branch=z9hG4bK/, 'branch=z9hG4bKpath2')), {
    host: '127.0.0.1',
    port: bob.port,
  });
  clock.advance(5);
  t.ok(network.packets.some((packet) => packet.what === '482 INVITE'));
  t.same(bob.requests.length, 1);
});

void t.test('what an endpoint answers by itself', async (t) => {
  const { clock, network, bob } = await aPair();
  const socket = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  const ask = (method: string, extra = '', to = '<sip:bob@127.0.0.1>') => {
    const branch = `z9hG4bK${Math.floor(clock.now())}${method}`;
    const lines = [
      `${method} sip:bob@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${socket.local.port};branch=${branch}`,
      'Max-Forwards: 70',
      'From: <sip:a@b.c>;tag=1',
      `To: ${to}`,
      `Call-ID: ${branch}`,
      `CSeq: 1 ${method}`,
      'Content-Length: 0',
    ];
    socket.send(Buffer.from(`${lines.join('\r\n')}\r\n${extra}\r\n`), { host: '127.0.0.1', port: bob.port });
    clock.advance(10);
    return network.packets.findLast((packet) => packet.from === bob.port)?.what;
  };
  t.equal(ask('BYE', '', '<sip:bob@127.0.0.1>;tag=gone'), '481 BYE');
  t.equal(ask('INVITE', '', '<sip:bob@127.0.0.1>;tag=gone'), '481 INVITE');
  t.equal(ask('PRACK'), '481 PRACK');
  t.equal(ask('UPDATE'), '481 UPDATE');
  t.equal(ask('CANCEL'), '481 CANCEL');
  t.equal(ask('OPTIONS', 'Require: nothingWeKnow\r\n'), '420 OPTIONS');
  t.same(bob.requests.length, 0);
  const count = network.packets.length;
  ask('ACK', '', '<sip:bob@127.0.0.1>;tag=gone');
  t.equal(network.packets.length, count + 1, 'a stray ACK is answered by nothing');
});

void t.test('a challenged BYE that is not sent again does not keep its dialog for ever', async (t) => {
  const { clock, network, alice, bob, alices } = await anAnsweredCall();
  bob.onRequest = (incoming) => void incoming.respond(407);
  alices.bye();
  clock.advance(10);
  t.equal(alice.endpoint.counts.dialogs, 1, 'it may be sent again with a password');
  t.same(alice.endings, []);
  clock.advance(32_000);
  t.same([alice.endings, alice.endpoint.counts.dialogs], [['byeSent'], 0]);
  t.equal(network.sentFrom(alice.port, 'BYE').length, 1);
});

void t.test('a challenged BYE that is sent again ends its dialog once', async (t) => {
  const { clock, alice, bob, alices } = await anAnsweredCall();
  bob.onRequest = (incoming) => void incoming.respond(407);
  alices.bye();
  clock.advance(10);
  bob.onRequest = (incoming) => void incoming.respond(200);
  alices.bye();
  clock.advance(40_000);
  t.same([alice.endings, alice.endpoint.counts], [['byeSent'], nothing]);
});

void t.test('the ACK is repeated also where the way to the phone is a name', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  network.hosts.set('proxy.example', ['127.0.0.1']);
  bob.onRequest = (incoming) => {
    const route = `<sip:proxy.example:${bob.port};lr>`;
    incoming.request.headers.add('Record-Route', route);
    incoming.respond(200);
  };
  alice.onResponse = (_response, dialog) => void dialog?.ack();
  network.loses = (packet) => packet.what === 'ACK' && packet.atMs < 1_000;
  alice.request('INVITE', bob);
  await clock.pass(3_000);
  t.same(times(network.sentFrom(alice.port, 'ACK')), [2, 502, 1_502]);
  t.equal(bob.acks.length, 1);
});

void t.test('an INVITE that is cancelled while its name is looked up is never sent', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  network.hosts.set('carrier.example', ['127.0.0.1']);
  const statuses: number[] = [];
  const result = alice.endpoint.request(
    { method: 'INVITE', uri: `sip:bob@carrier.example:${bob.port}` },
    { onResponse: (response) => void statuses.push(response.status) },
  );
  if (result.kind === 'refused') throw new Error(result.why);
  t.ok(result.outgoing.cancel());
  t.same(statuses, [], 'told in a later turn');
  await clock.pass(40_000);
  t.same([statuses, network.packets.length], [[487], 0]);
});

void t.test('a call that rings for minutes says so every minute (RFC 3261 13.3.1.1)', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(180);
  const outgoing = alice.request('INVITE', bob);
  clock.advance(150_000);
  t.same(times(network.sentFrom(bob.port, '180 INVITE')), [1, 60_001, 120_001]);
  outgoing.cancel();
  clock.advance(200_000);
  t.equal(network.sentFrom(bob.port, '180 INVITE').length, 3);
  t.same([alice.endpoint.counts, bob.endpoint.counts], [nothing, nothing]);
});

void t.test('a phone that rings under ever new tags does not make a dialog of each', async (t) => {
  const { clock, network, alice, bob } = await aPair();
  bob.onRequest = (incoming) => void incoming.respond(180);
  alice.request('INVITE', bob);
  clock.advance(5);
  const ringing = network.packets.find((packet) => packet.what === '180 INVITE')?.text ?? '';
  const socket = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  for (let i = 0; i < 1_000; i++) {
    const fork = ringing.replace(/^(To: .*;tag=).*$/m, `$1fork${i}`);
    socket.send(Buffer.from(fork), { host: '127.0.0.1', port: alice.port });
  }
  clock.advance(5);
  t.equal(alice.endpoint.counts.dialogs, 32);
  bob.requests[0]?.respond(200);
  clock.advance(5);
  t.same([alice.dialog?.state, alice.endpoint.counts.dialogs], ['confirmed', 1], 'the call is answered all the same');
});

void t.test('a name that means ourselves is no place to call', async (t) => {
  const { clock, network, alice } = await aPair();
  network.hosts.set('me.example', ['127.0.0.1']);
  const statuses: number[] = [];
  alice.endpoint.request(
    { method: 'INVITE', uri: `sip:x@me.example:${alice.port}` },
    { onResponse: (response) => void statuses.push(response.status) },
  );
  await clock.pass(1_000);
  t.same([statuses, network.packets.length], [[503], 0]);
});
