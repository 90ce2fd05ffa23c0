import { createSocket } from 'node:dgram';
import type Srf from 'drachtio-srf';
import t from 'tap';
import { type Flow, Headers, type SipRequest, type SipResponse } from '../../src/sip/index.ts';
import { RegisteredFlows } from '../../src/sipd/registered-flows.ts';
import { until } from '../support/processes.ts';
import { openApp, openSipd, RawApp, secret, sipUri } from '../support/sipd-and-app.ts';
import { sdp, SipPhone } from '../support/sip-phone.ts';

// The real client library, drachtio-srf, is the app in every story here; the phones are endpoints of our own.

type Request = Srf.SrfRequest;
type Response = Srf.SrfResponse;

/** The parts of the client that its type declarations leave out. */
interface FullSrf {
  use(method: string, handler: (req: Request, res: Response) => void): void;
  request(uri: string, options: object, done: (error: Error | null, sent: Request) => void): void;
  createUAS(req: Request, res: Response, options: object): Promise<Srf.Dialog>;
  createUAC(uri: string, options: object, progress?: object): Promise<Srf.Dialog>;
  createB2BUA(req: Request, res: Response, uri: string, options: object): Promise<{ uas: Srf.Dialog; uac: Srf.Dialog }>;
  disconnect(): void;
}
const full = (srf: Srf): FullSrf => srf as unknown as FullSrf;

interface FullDialog {
  on(event: string, listener: (req: Request, second: unknown) => void): void;
  request(options: object): Promise<Response>;
  modify(sdp: string): Promise<string>;
  destroy(): Promise<Request>;
  remote: { sdp: string };
  id: string;
}
const fullDialog = (dialog: Srf.Dialog): FullDialog => dialog as unknown as FullDialog;

/** An app and a sipd that go away with the test. */
async function aSipd(t: Tap, ...options: Parameters<typeof openSipd>) {
  const sipd = await openSipd(...options);
  const phones: SipPhone[] = [];
  const apps = new Set<FullSrf>();
  t.teardown(async () => {
    for (const app of apps) app.disconnect();
    await sipd.close();
    for (const phone of phones) phone.close();
  });
  return {
    sipd,
    phone: async (protocol: 'udp' | 'tcp' = 'udp') => {
      const phone = await SipPhone.open(protocol);
      phones.push(phone);
      return phone;
    },
    /** The app dies; the client library asserts if it is asked to disconnect twice. */
    kill: (app: FullSrf | undefined) => {
      if (app !== undefined && apps.delete(app)) app.disconnect();
    },
    app: async (verbs: (srf: FullSrf) => void = () => {}, tag: string | undefined = 'pbx-1') => {
      const srf = full(await openApp(sipd, tag, (raw) => verbs(full(raw))));
      apps.add(srf);
      return srf;
    },
  };
}
type Tap = { teardown(action: () => Promise<void>): void };

/** A call from a phone that the app answers itself. */
async function anAnsweredCall(t: Tap, timers: Parameters<typeof openSipd>[0] = {}) {
  const all = await aSipd(t, timers);
  let uas: FullDialog | undefined;
  await all.app((srf) =>
    srf.use('invite', (req, res) => {
      void srf.createUAS(req, res, { localSdp: sdp(4_000) }).then((dialog) => {
        uas = fullDialog(dialog);
      });
    }),
  );
  const phone = await all.phone();
  const sent = phone.send('INVITE', sipUri(all.sipd, '100'), {
    body: sdp(5_000),
    headers: new Headers().add('Content-Type', 'application/sdp'),
  });
  const answer = await sent.final();
  const dialog = await until('the dialog of the app', () => uas);
  if (sent.dialog === undefined) throw new Error('no dialog');
  return { ...all, phone, dialog, sent, phoneDialog: sent.dialog, answer };
}

void t.test('login: addresses and version; a wrong secret is told and cut off', async (t) => {
  const { sipd } = await aSipd(t);
  const app = await RawApp.open(sipd);
  app.send(`m1|authenticate|${secret}|pbx-1,ward`);
  t.match(await app.reply('m1'), /^response\|m1\|OK\|udp\/127\.0\.0\.1:\d+,tcp\/127\.0\.0\.1:\d+\|v0\.9\.9\|udp\/127/);
  app.send('m2|ping');
  t.equal(await app.reply('m2'), 'response|m2|OK|pong');
  app.send('m3|route|invite');
  t.equal(await app.reply('m3'), 'response|m3|OK');
  app.send('m4|proxy|t1||||serial|||sip:a@b\r\nINVITE sip:a@b SIP/2.0\r\n\r\n');
  t.match(await app.reply('m4'), /^response\|m4\|NOK\|Request not proxied due to unknown transaction/);
  app.send('m5|sip|gone|\r\nSIP/2.0 200 OK\r\n\r\n');
  t.equal(await app.reply('m5'), 'response|m5|NOK|Response not sent due to unknown transaction');
  app.send('m6|sip||call;from-tag=x\r\nBYE sip:placeholder SIP/2.0\r\n\r\n');
  t.match(await app.reply('m6'), /NOK\|unable to find dialog/);
  app.send('m7|sip|gone|\r\nCANCEL sip:a SIP/2.0\r\n\r\n');
  t.match(await app.reply('m7'), /NOK\|unable to cancel unknown transaction id: gone/);
  app.send(`m8|sip||\r\nOPTIONS ${sipUri(sipd, 'x')} SIP/2.0\r\n\r\n`);
  t.match(await app.reply('m8'), /NOK\|can not send request to myself/);
  app.send('m9|sip||\r\nOPTIONS sip:a@127.0.0.1;transport=tls SIP/2.0\r\n\r\n');
  t.match(await app.reply('m9'), /NOK\|requested protocol\/transport not available/);
  app.send('m10|sip||\r\nMESSAGE sip:a@127.0.0.1:9 SIP/2.0\r\n\r\nhello');
  t.match(await app.reply('m10'), /NOK\|missing content-type/);
  app.send('m11|fly');
  t.match(await app.reply('m11'), /^response\|m11\|NO\|Unknown message type/);
  await until('the close', () => app.isClosed);

  const strangers = [`s|authenticate|wrong|`, 's|route|invite', 's|sip||\r\nINVITE sip:a@127.0.0.1:9 SIP/2.0\r\n\r\n'];
  for (const payload of strangers) {
    const stranger = await RawApp.open(sipd);
    stranger.send(payload);
    t.match(await stranger.reply('s'), /^response\|s\|NO\|(incorrect secret|authenticate first)$/);
    await until('the close', () => stranger.isClosed);
  }
  const babbler = await RawApp.open(sipd);
  babbler.write('GET / HTTP/1.1\r\n\r\n');
  await until('the close', () => babbler.isClosed);
});

void t.test('the echo of a request and of a response is exact', async (t) => {
  const { sipd, phone } = await aSipd(t);
  const bob = await phone();
  const app = await RawApp.open(sipd);
  t.teardown(() => app.close());
  app.send(`m1|authenticate|${secret}|`);
  app.send('m2|route|invite');
  await app.reply('m2');
  app.send(
    `m3|sip||\r\nINVITE ${bob.uri('bob')} SIP/2.0\r\nfrom: <sip:100@localhost>\r\ncontact: sip:100@localhost\r\nx-story: Grüße\r\nContent-Length: 1\r\n\r\n${sdp(4_000)}`,
  );
  const [meta, message] = splitOnce(await app.reply('m3'), '\r\n');
  const tokens = meta.split('|');
  t.same(tokens.slice(0, 4), ['response', 'm3', 'OK', 'application']);
  t.same([tokens[5], tokens[6]], ['udp', '127.0.0.1']);
  t.match(tokens[8], /^\d\d:\d\d:\d\d\.\d{6}$/);
  t.same(tokens.slice(10), ['Msg sent:', '']);
  t.match(message, /^INVITE sip:bob@127.0.0.1:\d+ SIP\/2.0\r\nVia: SIP\/2.0\/UDP 127.0.0.1:\d+;rport;branch=z9hG4bK/);
  t.match(message, /\r\nFrom: <sip:100@127.0.0.1:\d+>;tag=\w+\r\n/);
  t.match(message, /\r\nContact: <sip:100@127.0.0.1:\d+>\r\n/);
  t.match(message, /\r\nTo: <sip:bob@127.0.0.1:\d+>\r\n/);
  t.match(message, /\r\nContent-Type: application\/sdp\r\n/);
  const invite = await bob.got('INVITE');
  t.equal(invite.request.headers.get('X-Story'), 'Grüße');
  t.equal(invite.request.body.toString(), sdp(4_000), 'the length the app gave is not believed');
  invite.respond(486, { reason: 'Busy at the Bedside' });
  const shown = await until('the 486', () => app.received.find((payload) => payload.includes('|sip|network|')));
  const shownTokens = shown.split('\r\n')[0]?.split('|') ?? [];
  t.equal(shownTokens[8], tokens[9], 'the transaction id of the echo');
  t.match(shownTokens[9], /^[\w-]+;from-tag=\w+$/, 'a failed INVITE has its dialog id too');
  t.match(shown, /\r\nSIP\/2.0 486 Busy at the Bedside\r\n/);

  const sent = bob.send('INVITE', sipUri(sipd, '200'), {
    body: sdp(5_000),
    headers: new Headers().add('Content-Type', 'application/sdp'),
  });
  const offered = await until('the INVITE', () =>
    app.received.find((payload) => payload.includes('|sip|network|') && payload.includes('\r\nINVITE ')),
  );
  const request = offered.split('\r\n')[0]?.split('|') ?? [];
  t.same(request.slice(1, 3), ['sip', 'network']);
  t.same([request[4], request[5], request[6]], ['udp', '127.0.0.1', String(bob.port)]);
  t.same([request[9], request[10], request.length], ['', '127.0.0.1', 13]);
  app.send(
    `m5|sip|${request[8]}|\r\nSIP/2.0 200 OK\r\nto: <sip:200@x>;tag=ours\r\nContent-Length: 0\r\n\r\n${sdp(4_002)}`,
  );
  const [echo, answer] = splitOnce(await app.reply('m5'), '\r\n');
  t.match(
    echo,
    new RegExp(
      `^response\\|m5\\|OK\\|application\\|\\d+\\|udp\\|127.0.0.1\\|${bob.port}\\|[\\d:.]+\\|${request[8]}\\|[\\w-]+;from-tag=\\w+\\|\\|Msg sent:\\|$`,
    ),
  );
  t.match(answer, /^SIP\/2.0 200 OK\r\n[^]*To: .*;tag=ours\r\n[^]*Contact: <sip:127.0.0.1:\d+>\r\n/);
  t.equal((await sent.final()).body.toString(), sdp(4_002));
  app.send(`m6|sip|${request[8]}|\r\nSIP/2.0 486 Busy\r\n\r\n`);
  t.match(await app.reply('m6'), /NOK/);
});

void t.test('REGISTER with a challenge; a phone on TCP is rung over its own connection', async (t) => {
  const { sipd, phone, app } = await aSipd(t);
  const srf = await app((srf) =>
    srf.use('register', (req, res) => {
      if (!req.has('Authorization')) {
        res.send(401, { headers: { 'WWW-Authenticate': 'Digest realm="x", nonce="1", algorithm=MD5' } });
      } else res.send(200, { headers: { Contact: req.get('Contact'), Expires: 60 } });
    }),
  );
  const desk = await phone('tcp');
  // The address in the Contact cannot be dialled; only the open connection leads to the phone.
  const contact = 'sip:2101@192.0.2.77:5999;transport=tcp';
  const register = (extra: Headers) =>
    desk.send('REGISTER', sipUri(sipd, '2101', 'tcp'), {
      headers: extra.add('Contact', `<${contact}>`).add('Expires', '60'),
    });
  t.match((await register(new Headers()).final()).headers.get('WWW-Authenticate'), /Digest realm/);
  t.equal((await register(new Headers().add('Authorization', 'Digest x="y"')).final()).status, 200);
  desk.onRequest = (incoming) =>
    void incoming.respond(incoming.request.method === 'INVITE' ? 200 : 200, {
      body: Buffer.from(sdp(5_000)),
      headers: new Headers().add('Content-Type', 'application/sdp'),
    });
  const dialog = fullDialog(await srf.createUAC(contact, { localSdp: sdp(4_000) }));
  t.equal(dialog.remote.sdp, sdp(5_000));
  await dialog.destroy();
  t.same(desk.endings, ['byeReceived']);
});

void t.test('a call the app answers: ACK, INFO, hold, new media, BYE from the phone', async (t) => {
  const { dialog, phone, phoneDialog, answer } = await anAnsweredCall(t);
  t.equal(answer.body.toString(), sdp(4_000));
  const heard: string[] = [];
  dialog.on('info', (req, res) => {
    heard.push(`info ${req.body}`);
    (res as Response).send(200, { headers: { 'X-Heard': 'yes' } });
  });
  dialog.on('modify', (req, res) => {
    heard.push(`modify ${req.body.length > 0}`);
    (res as Response).send(200, { body: sdp(4_004) } as never);
  });
  dialog.on('destroy', () => void heard.push('destroy'));
  const answers: SipResponse[] = [];
  const say = { onResponse: (response: SipResponse) => void answers.push(response) };
  const typed = (type: string) => new Headers().add('Content-Type', type);
  phoneDialog.request('INFO', { body: Buffer.from('Signal=5'), headers: typed('application/dtmf-relay') }, say);
  await until('the answer to INFO', () => answers.length === 1);
  t.equal(answers[0]?.headers.get('X-Heard'), 'yes');
  phoneDialog.request('INVITE', { body: Buffer.from(sdp(5_002)), headers: typed('application/sdp') }, say);
  await until('the answer to the re-INVITE', () => answers.length === 2);
  t.equal(answers[1]?.body.toString(), sdp(4_004));
  phoneDialog.ack();
  t.equal(await dialog.modify(sdp(4_006)).catch((error: Error) => error.message), '', 'the phone answers without SDP');
  await until('the ACK of the app', () => phone.acks.length === 1);
  phoneDialog.bye({}, say);
  await until('the end', () => heard.includes('destroy') && answers.length === 3);
  t.same(heard, ['info Signal=5', 'modify true', 'destroy']);
  t.equal(answers[2]?.status, 200);
});

void t.test('a call the app places: progress, answer, INFO, BYE; and its failures', async (t) => {
  const { phone, app } = await aSipd(t);
  const srf = await app();
  const bob = await phone();
  const progress: string[] = [];
  const placing = srf.createUAC(
    bob.uri('bob'),
    { localSdp: sdp(4_000), callingNumber: '2101', headers: { 'X-Story': 'one' } },
    {
      cbRequest: (error: Error | null, req: Request) =>
        void progress.push(error === null ? `sent ${req.method}` : error.message),
      cbProvisional: (res: Response) => void progress.push(String(res.status)),
    },
  );
  const invite = await bob.got('INVITE');
  t.match(invite.request.headers.get('From'), /<?sip:2101@127\.0\.0\.1:\d+>?;tag=/);
  t.match(invite.request.headers.get('Contact'), /<sip:2101@127\.0\.0\.1:\d+>/);
  invite.respond(180);
  invite.respond(183, { body: Buffer.from(sdp(5_000)), headers: new Headers().add('Content-Type', 'application/sdp') });
  invite.respond(200, { body: Buffer.from(sdp(5_000)), headers: new Headers().add('Content-Type', 'application/sdp') });
  const dialog = fullDialog(await placing);
  t.same(progress, ['sent INVITE', '180', '183']);
  await until('the ACK', () => bob.acks.length === 1);
  t.equal(
    (await dialog.request({ method: 'INFO', headers: { 'Content-Type': 'text/plain' }, body: 'hi' })).status,
    200,
  );
  await dialog.destroy();
  t.same(bob.endings, ['byeReceived']);

  bob.onRequest = (incoming) => void incoming.respond(486);
  const busy = await srf
    .createUAC(bob.uri('bob'), { localSdp: sdp(4_000) })
    .catch((error: { status: number }) => error.status);
  t.equal(busy, 486);
  const nobody = await SipPhone.open();
  const gone = nobody.uri('bob');
  nobody.close();
  const silence = await srf
    .createUAC(gone, { localSdp: sdp(4_000) })
    .catch((error: { status: number }) => error.status);
  t.equal(silence, 408, 'after 64 T1');
  const refusedTcp = await srf
    .createUAC(`${gone};transport=tcp`, { localSdp: sdp(4_000) })
    .catch((error: { status: number }) => error.status);
  t.equal(refusedTcp, 503, 'a refused connection costs no waiting');
});

void t.test('3pcc: an INVITE without SDP gets the offer in the 200 and the answer in the ACK', async (t) => {
  const { phone, app } = await aSipd(t);
  const srf = await app();
  const bob = await phone();
  bob.onRequest = (incoming) =>
    void incoming.respond(200, {
      body: Buffer.from(sdp(5_000)),
      headers: new Headers().add('Content-Type', 'application/sdp'),
    });
  const result = (await srf.createUAC(bob.uri('bob'), { noAck: true })) as unknown as {
    sdp: string;
    ack: (sdp: string) => Promise<Srf.Dialog>;
  };
  t.equal(result.sdp, sdp(5_000));
  await result.ack(sdp(4_000));
  await until('the ACK', () => bob.acks.length === 1);
  t.equal(bob.acks[0]?.body.toString(), sdp(4_000));
});

void t.test('the app cancels: before the phone says anything, and while it rings, with its Reason', async (t) => {
  const { phone, app } = await aSipd(t);
  const srf = await app();
  const bob = await phone();
  for (const rings of [false, true]) {
    let sent: Request | undefined;
    const placing = srf
      .createUAC(
        bob.uri('bob'),
        { localSdp: sdp(4_000) },
        { cbRequest: (_error: Error | null, req: Request) => (sent = req) },
      )
      .catch((error: { status: number }) => error.status);
    const invite = await bob.got('INVITE');
    if (rings) invite.respond(180);
    const req = await until('the echo', () => sent);
    (req.cancel as (options: object, done: () => void) => void)(
      { headers: { Reason: 'SIP;cause=200;text="Call completed elsewhere"' } },
      () => {},
    );
    if (!rings) setTimeout(() => invite.respond(180), 30);
    t.equal(await placing, 487);
    t.match(bob.cancels.at(-1)?.headers.get('Reason'), /cause=200/);
    bob.requests.length = 0;
  }
});

void t.test('the phone cancels: 200 and 487 come from the server, the app is told', async (t) => {
  const { sipd, phone, app } = await aSipd(t);
  let cancelled = 0;
  const late: string[] = [];
  await app((srf) =>
    srf.use('invite', (req, res) => {
      res.send(180);
      req.on('cancel', () => {
        cancelled++;
        res.send(487, 'Request Terminated', {}, (error) => void late.push(String(error)));
      });
    }),
  );
  const alice = await phone();
  const sent = alice.send('INVITE', sipUri(sipd, '100'), { body: sdp(5_000) });
  await sent.provisional(180);
  sent.cancel();
  t.equal((await sent.final()).status, 487);
  await until('the cancel', () => cancelled === 1 && late.length === 1);
  t.match(late[0], /unknown transaction/);
  t.equal(sipd.metrics.pending, 0);
});

void t.test('no ACK: the server says BYE, the app is told why', async (t) => {
  const { sipd, phone, app } = await aSipd(t);
  let reason: unknown;
  await app((srf) =>
    srf.use('invite', (req, res) => {
      void srf.createUAS(req, res, { localSdp: sdp(4_000) }).then((dialog) => {
        fullDialog(dialog).on('destroy', (_req, why) => (reason = why));
      });
    }),
  );
  const alice = await phone();
  const sent = alice.send('INVITE', sipUri(sipd, '100'), { body: sdp(5_000) });
  sent.acknowledges = false;
  t.equal((await sent.final()).status, 200);
  const bye = await alice.got('BYE');
  t.equal(bye.request.headers.get('Reason'), 'SIP ;cause=200 ;text="ACK timeout"');
  t.equal(await until('the reason', () => reason), 'ACK timeout');
  t.equal(sipd.metrics.ownedDialogs, 0);
});

void t.test('who answers when the app does not', async (t) => {
  const { sipd, phone, app } = await aSipd(t, { appAnswersWithinMs: 150, holdNewMs: 150 });
  const alice = await phone();
  const nobody = await alice.send('INVITE', sipUri(sipd, '100')).final();
  t.equal(nobody.status, 503, 'nobody is there');
  t.equal(nobody.headers.get('Retry-After'), '5');
  const srf = await app((srf) => {
    srf.use('invite', () => {});
    srf.use('options', () => {});
  });
  t.equal((await alice.send('INVITE', sipUri(sipd, '100')).final()).status, 480, 'a silent app');
  t.equal((await alice.send('OPTIONS', sipUri(sipd, '100')).final()).status, 408);
  t.equal((await alice.send('MESSAGE', sipUri(sipd, '100')).final()).status, 503, 'a verb nobody wants');
  t.ok(srf);
  t.same([sipd.metrics.pending, sipd.metrics.held], [0, 0]);
});

void t.test('a phone that rings longer than an app may be silent goes on ringing, but not for ever', async (t) => {
  const { sipd, phone, app } = await aSipd(t, { appAnswersWithinMs: 150, appRingsWithinMs: 1_500 });
  await app((srf) => srf.use('invite', (req, res) => void (req.uri.includes('ring') && res.send(180))));
  const alice = await phone();
  const rings = alice.send('INVITE', sipUri(sipd, 'ring'));
  await rings.provisional(180);
  t.equal((await alice.send('INVITE', sipUri(sipd, 'silence')).final()).status, 480);
  t.same(rings.statuses, [180]);
  t.equal((await rings.final()).status, 480);
  t.equal(sipd.metrics.pending, 0);
});

/** An app without a library, with the tag "ward", and its call with a phone; `side`: who has called. */
async function aRawCall(t: Tap, side: 'uas' | 'uac', ...options: Parameters<typeof openSipd>) {
  const { sipd, phone } = await aSipd(t, ...options);
  const open = async () => {
    const app = await RawApp.open(sipd);
    t.teardown(async () => app.close());
    app.send(`a|authenticate|${secret}|ward`);
    app.send('r|route|invite');
    app.send('r2|route|options');
    await app.reply('r2');
    return app;
  };
  const app = await open();
  const alice = await phone();
  if (side === 'uas') {
    const call = alice.send('INVITE', sipUri(sipd, '100'), { body: sdp(5_000) });
    const txnId = (await shown(app, 'INVITE')).split('|')[8];
    app.send(`ok|sip|${txnId}|\r\nSIP/2.0 200 OK\r\n\r\n${sdp(4_000)}`);
    await call.final();
    await shown(app, 'ACK');
    const dialog = call.dialog;
    if (dialog === undefined) throw new Error('no dialog');
    return { sipd, app, open, phone: alice, dialog, id: `${dialog.callId};from-tag=${dialog.localTag}` };
  }
  app.send(`inv|sip||\r\nINVITE ${alice.uri('a')} SIP/2.0\r\n\r\n${sdp(4_000)}`);
  const incoming = await alice.got('INVITE');
  incoming.respond(200, { body: Buffer.from(sdp(5_000)) });
  const { dialog } = incoming;
  if (dialog === undefined) throw new Error('no dialog');
  const id = `${dialog.callId};from-tag=${dialog.remoteTag}`;
  await until('the answer', () => app.received.find((payload) => payload.includes('SIP/2.0 200 OK')));
  app.send(`ack|sip||${id}\r\nACK sip:placeholder SIP/2.0\r\n\r\n`);
  await until('the ACK', () => alice.acks.length === 1);
  return { sipd, app, open, phone: alice, dialog, id };
}

function shown(app: RawApp, method: string): Promise<string> {
  return until(method, () => app.received.find((payload) => payload.includes(`\r\n${method} sip:`)));
}

void t.test('a re-INVITE that the phone takes back changes nothing: the app still hears of its BYE', async (t) => {
  const { sipd, app, dialog } = await aRawCall(t, 'uas');
  const statuses: number[] = [];
  const say = { onResponse: ({ status }: SipResponse) => void statuses.push(status) };
  const reinvite = dialog.request('INVITE', { body: Buffer.from(sdp(5_000)) }, say);
  await until('the re-INVITE', () => app.received.filter((payload) => payload.includes('INVITE sip:')).length === 2);
  reinvite.cancel();
  await until('its end', () => statuses.length > 0);
  t.same(statuses, [487]);
  t.equal(sipd.metrics.ownedDialogs, 1);
  dialog.bye({}, say);
  const bye = await shown(app, 'BYE');
  t.match(bye.split('|')[9], `${dialog.callId};from-tag=`);
});

void t.test(
  'the app dies while it places a call: nothing is left of it when the phone has stopped ringing',
  async (t) => {
    const { sipd, phone } = await aSipd(t);
    const app = await RawApp.open(sipd);
    app.send(`a|authenticate|${secret}|ward`);
    const bob = await phone();
    bob.onRequest = (incoming) => void incoming.respond(180);
    app.send(`inv|sip||\r\nINVITE ${bob.uri('bob')} SIP/2.0\r\n\r\n${sdp(4_000)}`);
    await until('the ringing', () => app.received.some((payload) => payload.includes('SIP/2.0 180')));
    t.equal(sipd.metrics.ownedDialogs, 1);
    app.close();
    await until('the CANCEL', () => bob.cancels.length === 1);
    await until('the end of it', () => sipd.metrics.dialogs === 0);
    t.equal(sipd.metrics.ownedDialogs, 0);
  },
);

for (const side of ['uas', 'uac'] as const) {
  void t.test(`the app dies while it changes the media of a call (${side}): the call goes on`, async (t) => {
    const { sipd, app, open, phone, dialog, id } = await aRawCall(t, side);
    const acks = phone.acks.length;
    phone.requests.length = 0;
    phone.onRequest = (incoming) => void (incoming.request.method === 'BYE' && incoming.respond(200));
    app.send(`re|sip||${id}\r\nINVITE sip:placeholder SIP/2.0\r\n\r\n${sdp(4_002)}`);
    const reinvite = await phone.got('INVITE');
    app.close();
    await until('the app to go', () => sipd.metrics.apps === 0);
    reinvite.respond(200, { body: Buffer.from(sdp(5_002)) });
    await until('the ACK', () => phone.acks.length === acks + 1);
    const next = await open();
    dialog.bye();
    t.ok(await shown(next, 'BYE'));
    t.same(
      phone.requests.map(({ request }) => request.method),
      ['INVITE'],
      'nobody has hung up',
    );
  });
}

void t.test('the end of a call is told, however much else waits for an answer', async (t) => {
  const { sipd, app, phone, dialog } = await aRawCall(t, 'uas', {}, { pendingRequests: 1 });
  const waiting = phone.send('OPTIONS', sipUri(sipd, 'x'));
  await shown(app, 'OPTIONS');
  t.equal((await phone.send('OPTIONS', sipUri(sipd, 'x')).final()).status, 503);
  dialog.bye();
  t.ok(await shown(app, 'BYE'));
  t.same(waiting.statuses, []);
});

void t.test('a phone that comes and goes on one connection leaves nothing behind', async (t) => {
  let watching = 0;
  const flow = {
    protocol: 'tcp',
    isOpen: true,
    onLost: () => {
      watching += 1;
      return () => void (watching -= 1);
    },
  } as unknown as Flow;
  const clock = { now: () => nowMs, after: () => ({ stop() {} }) };
  let nowMs = 0;
  const flows = new RegisteredFlows(clock);
  const learn = (contact: string): void => {
    const request = { headers: new Headers().add('Contact', contact) } as SipRequest;
    flows.learn(request, { headers: new Headers() } as SipResponse, flow);
  };
  for (let i = 0; i < 50; i++) {
    learn('<sip:2101@10.0.0.1>;expires=60');
    t.equal(flows.find('sip:2101@10.0.0.1'), flow);
    learn('<sip:2101@10.0.0.1>;expires=0');
    t.equal(flows.find('sip:2101@10.0.0.1'), undefined);
  }
  t.ok(watching <= 1, `${watching} listeners on one connection`);
  for (let i = 0; i < 50; i++) {
    learn(`<sip:2101@10.0.0.${i}>;expires=60`);
    nowMs += 61_000;
  }
  t.ok(flows.size <= 1, `${flows.size} contacts that nobody has any more`);
});

void t.test('several apps take turns, and one that has gone is passed over', async (t) => {
  const { sipd, phone, app, kill } = await aSipd(t);
  const took: number[] = [];
  const apps: FullSrf[] = [];
  for (const number of [0, 1, 2]) {
    apps.push(
      await app((srf) =>
        srf.use('options', (_req, res) => {
          took.push(number);
          res.send(200);
        }),
      ),
    );
  }
  await until('three apps', () => sipd.metrics.apps === 3);
  const alice = await phone();
  for (let i = 0; i < 6; i++) await alice.send('OPTIONS', sipUri(sipd, 'x')).final();
  t.same(
    [0, 1, 2].map((number) => took.filter((one) => one === number).length),
    [2, 2, 2],
  );
  kill(apps[1]);
  await until('two apps', () => sipd.metrics.apps === 2);
  for (let i = 0; i < 4; i++) t.equal((await alice.send('OPTIONS', sipUri(sipd, 'x')).final()).status, 200);
  t.equal(took.filter((one) => one === 1).length, 2);
});

void t.test('a BYE that an app was shown and died with is answered, and shown to the next one', async (t) => {
  const { sipd, app: first, open, dialog } = await aRawCall(t, 'uas');
  const said: number[] = [];
  dialog.bye({}, { onResponse: ({ status }) => void said.push(status) });
  await shown(first, 'BYE');
  t.same(said, []);
  first.close();
  await until('the answer to BYE', () => said.length === 1);
  t.same(said, [200]);
  const bye = await shown(await open(), 'BYE');
  t.match(bye.split('|')[9], `${dialog.callId};from-tag=`);
  t.same([sipd.metrics.pending, sipd.metrics.held], [0, 0]);
});

void t.test('the app dies: calls stay, BYE is answered and remembered, new calls wait for the app', async (t) => {
  const { sipd, phone, app, kill } = await aSipd(t, { holdNewMs: 8_000 });
  const dialogs: FullDialog[] = [];
  const ringing: string[] = [];
  const answering = (srf: FullSrf) =>
    srf.use('invite', (req, res) => {
      if (req.uri.includes('ring')) {
        ringing.push(req.uri);
        res.send(180);
      } else void srf.createUAS(req, res, { localSdp: sdp(4_000) }).then((dialog) => dialogs.push(fullDialog(dialog)));
    });
  const first = await app(answering);
  const alice = await phone();
  const carol = await phone();
  const bob = await phone();
  const aliceCall = alice.send('INVITE', sipUri(sipd, '100'), { body: sdp(5_000) });
  const carolCall = carol.send('INVITE', sipUri(sipd, '100'), { body: sdp(5_002) });
  const pending = alice.send('INVITE', sipUri(sipd, 'ring'), { body: sdp(5_000) });
  bob.onRequest = (incoming) => void incoming.respond(180);
  first.createUAC(bob.uri('bob'), { localSdp: sdp(4_000) }).catch(() => {});
  await Promise.all([aliceCall.final(), carolCall.final(), pending.provisional(180), bob.got('INVITE')]);
  await until('both dialogs', () => dialogs.length === 2);

  kill(first);
  await until('the app to go', () => sipd.metrics.apps === 0);
  await until('the CANCEL of the call it was placing', () => bob.cancels.length === 1);
  const said: number[] = [];
  const say = { onResponse: (response: SipResponse) => void said.push(response.status) };
  aliceCall.dialog?.bye({}, say);
  await until('the answer to BYE', () => said.length === 1);
  carolCall.dialog?.request('INFO', {}, say);
  const fresh = carol.send('INVITE', sipUri(sipd, 'ring-new'), { body: sdp(5_000) });
  await until('the pending call, INFO and the new call to wait', () => sipd.metrics.held === 3);
  t.same(said, [200], 'only BYE was answered');

  const events: string[] = [];
  ringing.length = 0;
  await app((srf) => {
    answering(srf);
    for (const method of ['bye', 'info'] as const) {
      srf.use(method, (req, res) => {
        events.push(`${method} ${(req as unknown as { stackDialogId: string }).stackDialogId}`);
        res.send(200);
      });
    }
  });
  await until('what the app had missed', () => events.length === 2 && said.length === 2);
  const [alices, carols] = dialogs.map((dialog) => dialog.id);
  t.same(
    new Set(events),
    new Set([
      `bye ${aliceCall.dialog?.callId === alices?.split(';')[0] ? alices : carols}`,
      `info ${carolCall.dialog?.callId === carols?.split(';')[0] ? carols : alices}`,
    ]),
  );
  await until('both calls to be offered again', () => ringing.length === 2);
  t.equal(sipd.metrics.held, 0);
  t.ok(fresh.statuses.every((status) => status < 200));
});

void t.test('a B2BUA call, its BYE from either side, and a request with a callback', async (t) => {
  const { sipd, phone, app } = await aSipd(t);
  const bob = await phone();
  const alice = await phone();
  bob.onRequest = (incoming) => {
    if (incoming.request.method !== 'INVITE') return void incoming.respond(200);
    incoming.respond(180);
    incoming.respond(200, {
      body: Buffer.from(sdp(6_000)),
      headers: new Headers().add('Content-Type', 'application/sdp'),
    });
  };
  alice.onRequest = (incoming) => void incoming.respond(200);
  const srf = await app((srf) =>
    srf.use('invite', (req, res) => {
      void srf.createB2BUA(req, res, bob.uri('bob'), { localSdpB: req.body }).then(({ uas, uac }) => {
        fullDialog(uas).on('destroy', () => void fullDialog(uac).destroy());
        fullDialog(uac).on('destroy', () => void fullDialog(uas).destroy());
      });
    }),
  );
  for (const side of ['caller', 'callee'] as const) {
    const call = alice.send('INVITE', sipUri(sipd, '200'), {
      body: sdp(5_000),
      headers: new Headers().add('Content-Type', 'application/sdp'),
    });
    t.equal((await call.final()).body.toString(), sdp(6_000));
    const leg = await bob.got('INVITE');
    t.equal(leg.request.body.toString(), sdp(5_000));
    const count = bob.acks.length;
    if (side === 'caller') call.dialog?.bye();
    else {
      await until(`the ACK after ${count}`, () => bob.acks.length > 0 && leg.dialog?.state === 'confirmed');
      leg.dialog?.bye();
    }
    await until('both legs to end', () => sipd.metrics.ownedDialogs === 0);
    bob.requests.length = 0;
  }
  const status = await new Promise<number>((resolve) => {
    srf.request(bob.uri('bob'), { method: 'OPTIONS' }, (_error, req) =>
      req.on('response', (res) => resolve(res?.status ?? 0)),
    );
  });
  t.equal(status, 200);
});

void t.test('an INVITE that comes three times rings once, and garbage harms nobody', async (t) => {
  const { sipd, app } = await aSipd(t);
  let rung = 0;
  await app((srf) =>
    srf.use('invite', (_req, res) => {
      rung++;
      res.send(180);
    }),
  );
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const heard: string[] = [];
  socket.on('message', (bytes) => heard.push(bytes.toString().slice(8, 11)));
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const port = Number(sipUri(sipd, 'x').split(':').at(-1));
  const say = (text: string | Buffer) => socket.send(text, port, '127.0.0.1');
  const invite = (branch: string) =>
    [
      `INVITE ${sipUri(sipd, 'bob')} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=${branch}`,
      'From: <sip:a@b>;tag=1',
      'To: <sip:bob@b>',
      `Call-ID: ${branch}`,
      'CSeq: 1 INVITE',
      '\r\n',
    ].join('\r\n');
  say(invite('z9hG4bKone'));
  await until('ringing', () => heard.includes('180'));
  say(invite('z9hG4bKone'));
  say(invite('z9hG4bKone'));
  await until('ringing repeated', () => heard.filter((status) => status === '180').length === 3);
  t.equal(rung, 1);
  for (let i = 0; i < 500; i++)
    say(Buffer.from(Array.from({ length: 5 + (i % 90) }, (_, at) => (at * 31 + i * 7) % 256)));
  for (const rubbish of [
    '\r\n\r\n',
    'INVITE',
    `${invite('z9hG4bK')}x`,
    'SIP/2.0 200 OK\r\n\r\n',
    invite('z9hG4bKx').replace('tag=1', 'tag=\0'),
  ])
    say(rubbish);
  say(invite('z9hG4bKtwo'));
  await until('the next honest call', () => rung >= 2);
  t.ok((sipd.metrics.dropped ?? 0) > 0);
});

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + at.length)];
}
