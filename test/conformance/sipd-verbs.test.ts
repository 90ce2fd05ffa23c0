import t from 'tap';
import { Headers } from '../../src/sip/index.ts';
import { until } from '../support/processes.ts';
import { RawPhone } from '../support/raw-phone.ts';
import { openSipd, RawApp, secret, sipUri } from '../support/sipd-and-app.ts';
import { sdp, SipPhone } from '../support/sip-phone.ts';

// The control protocol as text, where the client library would hide what is on the wire.

async function anApp(t: { teardown(action: () => Promise<void>): void }, verbs: readonly string[], t1Ms = 25) {
  const sipd = await openSipd({ t1Ms });
  const phones: SipPhone[] = [];
  const app = await RawApp.open(sipd);
  t.teardown(async () => {
    app.close();
    await sipd.close();
    for (const phone of phones) phone.close();
  });
  app.send(`login|authenticate|${secret}|pbx-1`);
  for (const verb of verbs) app.send(`route-${verb}|route|${verb}`);
  for (const verb of verbs) await app.reply(`route-${verb}`);
  const phone = async (protocol: 'udp' | 'tcp' = 'udp') => {
    const opened = await SipPhone.open(protocol);
    phones.push(opened);
    return opened;
  };
  /** The newest payload of the app that begins so after its own id. */
  const told = (start: string) =>
    until(start, () =>
      app.received.map((payload) => payload.slice(payload.indexOf('|') + 1)).findLast((text) => text.startsWith(start)),
    );
  return { sipd, app, phone, told };
}

const offer = () => ({ body: sdp(4_000), headers: new Headers().add('Content-Type', 'application/sdp') });
const answer = () => ({ ...offer(), body: Buffer.from(sdp(5_000)) });
const tokensOf = (payload: string) => (payload.split('\r\n', 1)[0] ?? '').split('|');

void t.test('proxy: each final response is told, then done; the call goes on without the app', async (t) => {
  const { sipd, app, phone, told } = await anApp(t, ['invite']);
  const [alice, busy, bob] = [await phone(), await phone(), await phone()];
  busy.onRequest = (incoming) => void incoming.respond(486);
  bob.onRequest = (incoming) => void incoming.respond(200, answer());
  const call = alice.send('INVITE', sipUri(sipd, '100'), offer());
  const txn = tokensOf(await told('sip|network'))[7];
  app.send(
    `p1|proxy|${txn}|remainInDialog|fullResponse||serial|2s|500ms|${busy.uri('a')}|${bob.uri('b')}\r\nINVITE ${bob.uri('b')} SIP/2.0\r\nX-Seen-By: us\r\n\r\n`,
  );
  await call.final();
  await told('response|p1|OK|done');
  const replies = app.received.filter((payload) => payload.split('|')[2] === 'p1').map(tokensOf);
  t.same(
    replies.map((tokens) => tokens[4]),
    ['network', 'network', 'done'],
  );
  t.same(replies[0]?.slice(6, 9), ['udp', '127.0.0.1', String(busy.port)], 'who answered');
  t.same(
    replies.slice(0, 2).map((tokens) => tokens[12]),
    ['continue', 'continue'],
    'the word that keeps the callback alive, at its place',
  );
  t.equal((await bob.got('INVITE')).request.headers.get('X-Seen-By'), 'us');
  app.close();
  await until('the app to be gone', () => sipd.metrics.apps === 0);
  call.dialog?.bye();
  await bob.got('BYE');
  t.equal((await bob.got('BYE')).request.headers.list('Via').length, 2, 'through us');
});

void t.test('proxy: a caller on TCP is reached over the connection it has made', async (t) => {
  const { sipd, app, phone, told } = await anApp(t, ['invite']);
  const [alice, bob] = [await phone('tcp'), await phone()];
  bob.onRequest = (incoming) => void incoming.respond(200, answer());
  // As behind a NAT: nobody is where its Contact says.
  const headers = offer().headers.add('Contact', '<sip:alice@127.0.0.1:9;transport=tcp>');
  const call = alice.send('INVITE', sipUri(sipd, '100', 'tcp'), { ...offer(), headers });
  const txn = tokensOf(await told('sip|network'))[7];
  app.send(`p1|proxy|${txn}|remainInDialog|||serial|||${bob.uri('b')}\r\nINVITE ${bob.uri('b')} SIP/2.0\r\n\r\n`);
  t.equal((await call.final()).status, 200);
  (await bob.got('INVITE')).dialog?.bye();
  t.equal((await alice.got('BYE')).request.headers.list('Via').length, 2, 'through us');
});

void t.test('proxy: what cannot be done is said', async (t) => {
  const { sipd, app, phone, told } = await anApp(t, ['invite']);
  const alice = await phone();
  alice.send('INVITE', sipUri(sipd, '100'));
  const txn = tokensOf(await told('sip|network'))[7];
  const ask = async (id: string, rest: string) => {
    app.send(`${id}|proxy|${rest}\r\nINVITE sip:x SIP/2.0\r\n\r\n`);
    return app.reply(id);
  };
  t.match(await ask('1', `${txn}||||serial||`), /NOK\|no destination/);
  t.match(await ask('2', `${txn}||||serial||||tel:+49`), /NOK\|destination is not a sip: URI/);
  t.match(await ask('3', `${txn}||||serial|soon||sip:a@127.0.0.1`), /NOK\|a timeout is a number with its unit/);
  t.match(
    await ask('4', `${txn}||||serial|||${Array.from({ length: 33 }, () => 'sip:a@127.0.0.1').join('|')}`),
    /more than 32/,
  );
  t.match(await ask('5', 'gone||||serial|||sip:a@127.0.0.1'), /NOK\|Request not proxied due to unknown transaction/);
});

void t.test('call records: tried, begun, ended, with who did it and why', async (t) => {
  const { sipd, app, phone, told } = await anApp(t, ['invite', 'cdr:attempt', 'cdr:start', 'cdr:stop']);
  const alice = await phone();
  const call = alice.send('INVITE', sipUri(sipd, '100'), offer());
  t.match(await told('cdr:attempt'), /^cdr:attempt\|network\|\d\d:\d\d:\d\d\.\d{6}\r\nINVITE /);
  const txn = tokensOf(await told('sip|network'))[7];
  app.send(`r1|sip|${txn}|\r\nSIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n${sdp(5_000)}`);
  await call.final();
  t.match(await told('cdr:start'), /^cdr:start\|application\|[\d:.]+\|uas\r\nSIP\/2\.0 200 OK/);
  call.dialog?.bye();
  t.match(await told('cdr:stop'), /^cdr:stop\|network\|[\d:.]+\|normal-release\r\nBYE /);

  const refused = alice.send('INVITE', sipUri(sipd, '100'));
  const second = await until('the second call', () => {
    const shown = app.received.findLast((payload) => payload.includes('|sip|network|') && payload.includes(' INVITE'));
    const id = tokensOf(shown ?? '')[8];
    return id === txn ? undefined : id;
  });
  app.send(`r2|sip|${second}|\r\nSIP/2.0 486 Busy Here\r\n\r\n`);
  await refused.final();
  t.match(await told('cdr:stop|application'), /\|call-rejected\r\nSIP\/2\.0 486/);

  const bob = await phone();
  bob.onRequest = (incoming) => void incoming.respond(180);
  app.send(`o1|sip||\r\nINVITE ${bob.uri('b')} SIP/2.0\r\n\r\n`);
  const out = tokensOf(await app.reply('o1'))[9];
  t.match(await told('cdr:attempt|application'), /\r\nINVITE /);
  await bob.got('INVITE');
  await until('the ringing', () => app.received.some((payload) => payload.includes('180 Ringing')));
  app.send(`o2|sip|${out}|\r\nCANCEL ${bob.uri('b')} SIP/2.0\r\n\r\n`);
  await until('the cancelled one', () =>
    app.received.some((payload) => payload.includes('|call-canceled\r\nSIP/2.0 487')),
  );
});

for (const isWanted of [true, false]) {
  const then = isWanted ? 'acknowledges it and has the call' : 'does not, and the server ends it';
  void t.test(`an answer that crosses the CANCEL: the app ${then}`, async (t) => {
    // Time enough to acknowledge it, or little to wait for.
    const { sipd, app } = await anApp(t, ['invite'], isWanted ? 2_000 : 25);
    const udp = Number(sipd.addresses.sip[0]?.split(':')[1]);
    const bob = await RawPhone.open('bob', { udp, tcp: 0 });
    t.teardown(() => bob.close());
    app.send(`o1|sip||\r\nINVITE sip:bob@127.0.0.1:${bob.port} SIP/2.0\r\n\r\n`);
    const txn = tokensOf(await app.reply('o1'))[9];
    const invite = await bob.nextRequest('INVITE');
    // The CANCEL waits for a provisional answer, and the final one is there first.
    app.send(`o2|sip|${txn}|\r\nCANCEL sip:bob@127.0.0.1 SIP/2.0\r\n\r\n`);
    t.match(await app.reply('o2'), /\|OK\|/);
    bob.respond(invite, 200, { body: sdp(5_000) });
    const answered = await until('the 200', () =>
      app.received.find((payload) => /\|sip\|network.*\r\nSIP\/2\.0 200/s.test(payload)),
    );
    const dialogId = tokensOf(answered)[9];
    if (isWanted) {
      app.send(`o3|sip||${dialogId}\r\nACK sip:placeholder SIP/2.0\r\n\r\n`);
      t.match(await app.reply('o3'), /\|OK\|/);
      await bob.nextRequest('ACK');
      app.send(`o4|sip||${dialogId}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
      t.match(await app.reply('o4'), /\|OK\|/);
      return;
    }
    await bob.nextRequest('ACK');
    bob.respond(await bob.nextRequest('BYE'), 200);
    const bye = await until('the end', () => app.received.find((payload) => payload.includes('|unsolicited|')));
    t.match(bye, /ACK-BYE due to cancel race condition/);
    app.send(`o4|sip||${dialogId}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
    t.match(await app.reply('o4'), /NOK\|unable to find dialog/);
  });
}

void t.test('who subscribed over a connection is reached through it', async (t) => {
  const { sipd, app, phone, told } = await anApp(t, ['subscribe']);
  const watcher = await phone('tcp');
  const headers = new Headers()
    .add('Event', 'presence')
    .add('Expires', '600')
    .add('Contact', '<sip:w@nowhere.invalid>');
  const subscription = watcher.send('SUBSCRIBE', sipUri(sipd, '100', 'tcp'), { headers });
  const txn = tokensOf(await told('sip|network'))[7];
  app.send(`s1|sip|${txn}|\r\nSIP/2.0 202 Accepted\r\nExpires: 600\r\n\r\n`);
  t.equal((await subscription.final()).status, 202);
  app.send('s2|sip||\r\nMESSAGE sip:w@nowhere.invalid SIP/2.0\r\nContent-Type: text/plain\r\n\r\nhello');
  t.match(await app.reply('s2'), /\|OK\|/);
  t.equal((await watcher.got('MESSAGE')).source.protocol, 'tcp');
  const dialogId = tokensOf(await app.reply('s1'))[10];
  app.send(
    `s3|sip||${dialogId}\r\nNOTIFY sip:placeholder SIP/2.0\r\nEvent: presence\r\nSubscription-State: terminated\r\n\r\n`,
  );
  (await watcher.got('NOTIFY')).respond(200);
  await until('the end of the subscription', () => sipd.metrics.ownedDialogs === 0);
});
