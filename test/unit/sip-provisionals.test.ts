import t from 'tap';
import type { Dialog, SipResponse } from '../../src/sip/index.ts';
import { aPhone, headersOf, twoPhones, type VirtualPhone } from '../support/two-phones.ts';

const reliably = { headers: headersOf({ Require: '100rel' }) };

/** The status of Bob's answers to what is sent in the dialog. */
function ask(dialog: Dialog | undefined, method: string, headers: Record<string, string> = {}, body = ''): number[] {
  const statuses: number[] = [];
  const onResponse = ({ status }: SipResponse) => void statuses.push(status);
  dialog?.request(method, { headers: headersOf(headers), body: Buffer.from(body) }, { onResponse });
  return statuses;
}

async function aReliableCall(supported: Record<string, string> = { Supported: 'timer, 100rel' }) {
  const world = await twoPhones();
  const { clock, alice, bob } = world;
  const call = alice.call(`sip:bob@127.0.0.1:${bob.port}`, supported);
  clock.advance(2);
  return { ...world, call, invite: bob.got('INVITE') };
}

void t.test('a reliable 180 is repeated until its PRACK comes, and shown once', async (t) => {
  const { clock, network, bob, call, invite } = await aReliableCall();
  const sent = invite.respond(180, reliably);
  t.match(sent?.headers.get('RSeq'), /^[1-9]\d*$/);
  clock.advance(1_600);
  t.same(
    network.sentFrom(bob.port, '180 INVITE').map(([atMs]) => atMs - 2),
    [0, 500, 1_500],
    'T1, 2 T1',
  );
  t.same(call.statuses, [180], 'RFC 3262 4: the same RSeq is no news');
  const rack = `${sent?.headers.get('RSeq')} ${invite.request.headers.get('CSeq')}`;
  const answers = ask(call.dialogs[0], 'PRACK', { RAck: rack });
  clock.advance(2);
  bob.got('PRACK').respond(200);
  clock.advance(30_000);
  t.same(answers, [200]);
  t.equal(network.sentFrom(bob.port, '180 INVITE').length, 3, 'no more after the PRACK');
  t.same(bob.cancelled, []);
});

void t.test('the second reliable response waits for the PRACK of the first', async (t) => {
  const { clock, bob, call, invite } = await aReliableCall();
  const first = invite.respond(180, reliably);
  const second = invite.respond(183, reliably);
  t.equal(Number(second?.headers.get('RSeq')), Number(first?.headers.get('RSeq')) + 1);
  clock.advance(10);
  t.same(call.statuses, [180]);
  ask(call.dialogs[0], 'PRACK', { RAck: `${first?.headers.get('RSeq')} ${invite.request.headers.get('CSeq')} INVITE` });
  clock.advance(10);
  t.same(call.statuses, [180, 183]);
  bob.got('PRACK').respond(200);
  invite.respond(200);
  clock.advance(10);
  t.same(call.statuses, [180, 183, 200], 'the final response waits for nobody');
});

void t.test('a PRACK for nothing is a 481, and the response goes on being repeated', async (t) => {
  const { clock, network, bob, call, invite } = await aReliableCall();
  const sent = invite.respond(180, reliably);
  clock.advance(2);
  const cseq = invite.request.headers.get('CSeq');
  const wrong = [`1 ${cseq}`, `${sent?.headers.get('RSeq')} 99 INVITE`, 'nonsense'].map((RAck) =>
    ask(call.dialogs[0], 'PRACK', { RAck }),
  );
  clock.advance(600);
  t.same(wrong, [[481], [481], [481]]);
  t.equal(network.sentFrom(bob.port, '180 INVITE').length, 2);
  t.throws(() => bob.got('PRACK'), 'nobody is shown them');
});

void t.test('no PRACK at all: the caller gets 504 after 32 s, and the answering side is told', async (t) => {
  const { clock, bob, call, invite } = await aReliableCall();
  invite.respond(183, reliably);
  clock.advance(31_000);
  t.same(call.statuses, [183]);
  clock.advance(1_100);
  t.same(call.statuses, [183, 504]);
  t.equal(bob.cancelled[0]?.method, 'INVITE');
});

void t.test('who does not know PRACK gets nothing that needs it; who requires it gets nothing else', async (t) => {
  const plain = await aReliableCall({ Supported: 'timer' });
  t.equal(plain.invite.takesReliable, false);
  t.equal(plain.invite.respond(180, reliably), undefined);
  t.equal(plain.invite.respond(180)?.headers.has('RSeq'), false);
  const strict = await aReliableCall({ Require: '100rel' });
  const ringing = strict.invite.respond(180);
  t.equal(ringing?.headers.has('RSeq'), true);
  t.equal(ringing?.headers.get('Require'), '100rel');
});

const offered = {
  headers: headersOf({ Require: '100rel', 'Content-Type': 'application/sdp' }),
  body: Buffer.from('v=0\r\n'),
};

/** Bob has rung with a description and has answered, and Alice has acknowledged neither. */
async function anEarlyAnswer() {
  const world = await aReliableCall();
  const { clock, call, invite } = world;
  const rang = invite.respond(183, offered);
  t.equal(invite.respond(200)?.status, 200);
  clock.advance(10);
  const prack = () =>
    ask(call.dialogs[0], 'PRACK', { RAck: `${rang?.headers.get('RSeq')} ${invite.request.headers.get('CSeq')}` });
  return { ...world, prack };
}

void t.test('a 2xx does not overtake a description that is not acknowledged (RFC 3262 3)', async (t) => {
  const { clock, network, alice, bob, call, invite, prack } = await anEarlyAnswer();
  clock.advance(1_000);
  t.same(call.statuses, [183]);
  t.equal(invite.respond(486), undefined, 'it has its answer');
  const answers = prack();
  clock.advance(10);
  bob.got('PRACK').respond(200);
  clock.advance(10);
  t.same([call.statuses, answers], [[183, 200], [200]]);
  t.equal(network.sentFrom(bob.port, '200 INVITE').length, 1);
  call.dialogs[1]?.ack();
  clock.advance(10);
  call.dialogs[1]?.bye();
  clock.advance(10);
  bob.got('BYE').respond(200);
  clock.advance(70_000);
  for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
});

void t.test('while a 2xx waits: CANCEL comes too late, BYE is told, and no PRACK at all is the end', async (t) => {
  const cancelled = await anEarlyAnswer();
  cancelled.call.cancel();
  cancelled.clock.advance(10);
  t.same(cancelled.bob.cancelled, [], 'whoever answered is not told that nobody did');
  cancelled.prack();
  cancelled.clock.advance(10);
  t.same(cancelled.call.statuses, [183, 200]);

  const gone = await anEarlyAnswer();
  gone.call.dialogs[0]?.bye();
  gone.clock.advance(10);
  gone.bob.got('BYE').respond(200);
  gone.clock.advance(10);
  t.same(gone.call.statuses, [183, 487]);
  t.same(
    gone.bob.endings.map(({ why }) => why),
    ['byeReceived'],
  );

  const deaf = await anEarlyAnswer();
  deaf.clock.advance(32_000);
  t.match(deaf.call.statuses, [183, /^(480|504)$/]);
  t.same(
    deaf.bob.endings.map(({ why }) => why),
    ['ackTimeout'],
  );
  for (const { clock, alice, bob } of [gone, deaf]) {
    clock.advance(70_000);
    for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
  }
});

void t.test('a PRACK for what rang may come after the answer', async (t) => {
  const { clock, bob, call, invite } = await aReliableCall();
  const rang = invite.respond(180, reliably);
  invite.respond(200);
  clock.advance(10);
  t.same(call.statuses, [180, 200], 'without a description nothing waits');
  const rack = { RAck: `${rang?.headers.get('RSeq')} ${invite.request.headers.get('CSeq')}` };
  const answers = ask(call.dialogs[1], 'PRACK', rack);
  clock.advance(10);
  bob.got('PRACK').respond(200);
  const again = ask(call.dialogs[1], 'PRACK', rack);
  clock.advance(10);
  t.same([answers, again], [[200], [481]]);
});

void t.test('what is asked in an early dialog does not decide about it', async (t) => {
  for (const status of [200, 488]) {
    const { clock, alice, bob, call, invite } = await aReliableCall();
    const sent = invite.respond(180, reliably);
    clock.advance(10);
    ask(call.dialogs[0], 'PRACK', { RAck: `${sent?.headers.get('RSeq')} ${invite.request.headers.get('CSeq')}` });
    clock.advance(10);
    bob.got('PRACK').respond(200);
    ask(call.dialogs[0], 'UPDATE', { 'Content-Type': 'application/sdp' }, 'v=0\r\n');
    clock.advance(10);
    bob.got('UPDATE').respond(status);
    clock.advance(10);
    t.equal(invite.dialog?.state, 'early');
    call.cancel();
    clock.advance(40_000);
    t.same(call.statuses, [180, 487]);
    t.equal(bob.cancelled.length, 1);
    for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
  }
});

for (const rang of [true, false]) {
  const how = rang ? 'after ringing' : 'without having rung';
  void t.test(`whoever answered ${how} and was not heard hangs up: the caller has an answer at once`, async (t) => {
    const { clock, network, alice, bob, call, invite } = await aReliableCall({});
    if (rang) invite.respond(180);
    clock.advance(250);
    network.copies = ({ what }) => (what === '200 INVITE' ? [] : [1]);
    invite.respond(200);
    clock.advance(32_000);
    t.same(call.statuses, rang ? [180] : []);
    clock.advance(1_000);
    t.same(call.statuses, rang ? [180, 480] : [480]);
    t.same(
      bob.endings.map(({ why }) => why),
      ['ackTimeout'],
    );
    t.same(alice.endings, [], 'it never was a call');
    clock.advance(70_000);
    for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
    t.equal(clock.pending, 0);
  });
}

void t.test('an answer that its own BYE has overtaken is acknowledged and ended, and told to nobody', async (t) => {
  const { clock, network, alice, bob, call, invite } = await aReliableCall({});
  invite.respond(180);
  clock.advance(5);
  network.copies = ({ what }) => (what === '200 INVITE' ? [50, 60] : [1]);
  invite.respond(200);
  invite.dialog?.bye();
  clock.advance(10);
  t.same(call.statuses, [180, 480]);
  clock.advance(40_000);
  t.same(call.statuses, [180, 480]);
  t.equal(network.sentFrom(alice.port, 'ACK').length, 2, 'as often as it came');
  t.equal(network.sentFrom(alice.port, 'BYE').length, 1);
  t.same(alice.endings, []);
  for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
});

void t.test('one UPDATE at a time, and one offer', async (t) => {
  const { clock, bob, call, invite } = await aReliableCall();
  invite.respond(200);
  clock.advance(2);
  const dialog = call.dialogs[0];
  dialog?.ack();
  const first = ask(dialog, 'UPDATE');
  const second = ask(dialog, 'UPDATE');
  clock.advance(5);
  t.same([first, second], [[], [500]], 'RFC 3311 5.2');
  bob.got('UPDATE').respond(200);
  clock.advance(5);
  t.same(first, [200]);
  // Both offer at once: the one that comes while our own offer is open is refused.
  const theirs = ask(invite.dialog, 'UPDATE', { 'Content-Type': 'application/sdp' }, 'v=0\r\n');
  const ours = ask(dialog, 'UPDATE', { 'Content-Type': 'application/sdp' }, 'v=0\r\n');
  clock.advance(5);
  t.same([ours, theirs], [[491], [491]]);
});

void t.test('branches: each has its own numbers, and a gap is not processed', async (t) => {
  const { clock, network, alice } = await twoPhones();
  const forker: VirtualPhone = await aPhone(clock, network);
  const raw = await network.bindUdp({ host: '127.0.0.1', port: 0 }, () => {});
  const call = alice.call(`sip:bob@127.0.0.1:${raw.local.port}`, { Supported: '100rel' });
  clock.advance(2);
  const invite = network.packets.find(({ what }) => what === 'INVITE')?.text ?? '';
  const line = (name: string) => new RegExp(`^${name}: .*$`, 'm').exec(invite)?.[0] ?? '';
  const ring = (tag: string, rseq: number) => {
    const lines = [
      'SIP/2.0 180 Ringing',
      line('Via'),
      line('From'),
      `${line('To').trim()};tag=${tag}`,
      line('Call-ID'),
    ];
    const rest = [line('CSeq'), 'Require: 100rel', `RSeq: ${rseq}`, `Contact: <sip:x@127.0.0.1:${forker.port}>`];
    const text = `${[...lines, ...rest].map((each) => each.trim()).join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
    raw.send(Buffer.from(text), { host: '127.0.0.1', port: alice.port });
    clock.advance(2);
  };
  ring('one', 7);
  ring('two', 7);
  ring('one', 9);
  ring('one', 8);
  ring('one', 8);
  t.same(
    call.dialogs.map((dialog) => dialog?.remoteTag),
    ['one', 'two', 'one'],
  );
  t.same(
    call.dialogs.map((dialog) => dialog?.unacknowledgedRseq),
    [8, 7, 8],
  );
});

void t.test('who still rings when the call is given up is told to stop, and shown to nobody', async (t) => {
  for (const rang of [true, false]) {
    const { clock, network, alice, bob, call, invite } = await aReliableCall({});
    if (rang) invite.respond(180);
    clock.advance(5);
    network.copies = ({ what }) => (what === '183 INVITE' ? [50] : what === '200 INVITE' ? [] : [1]);
    invite.respond(183);
    invite.respond(200);
    invite.dialog?.bye();
    clock.advance(100);
    t.same(call.statuses, rang ? [180, 480] : [480], 'nothing comes behind the final response');
    t.equal(network.sentFrom(alice.port, 'CANCEL').length, 1);
    t.same([network.sentFrom(alice.port, 'ACK'), network.sentFrom(alice.port, 'BYE')], [[], []], 'it is no answer');
    clock.advance(110_000);
    for (const { endpoint } of [alice, bob]) t.same(endpoint.counts, { dialogs: 0, clients: 0, servers: 0 });
  }
});
