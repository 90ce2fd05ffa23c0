import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Srf from 'drachtio-srf';
import t from 'tap';
import { Headers, type Logger, silentLogger } from '../../src/sip/index.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { until, scratch } from '../support/processes.ts';
import { RawApp, secret, sipUri } from '../support/sipd-and-app.ts';
import { sdp, SipPhone } from '../support/sip-phone.ts';

type Tap = { teardown(action: () => unknown): void };

/** A sipd that can be put in the place of another one. */
async function openAt(stateFile: string, addresses?: SipdServer['addresses'], logger: Logger = silentLogger) {
  const port = (protocol: string) =>
    Number(addresses?.sip.find((text) => text.startsWith(protocol))?.split(':')[1] ?? '0');
  const options = sipdOptionsSchema.parse({
    sip: ['udp', 'tcp'].map((protocol) => ({ protocol, host: '127.0.0.1', port: port(protocol) })),
    control: { port: addresses?.control.port ?? 0 },
    secret,
    stateFile,
    timers: { t1Ms: 25, t2Ms: 200, t4Ms: 250 },
  });
  return SipdServer.open(options, logger);
}

/** A phone in a call with an app, and sipd gone from between them. */
async function aCallWithoutSipd(t: Tap & Parameters<typeof scratch>[0], tag: string) {
  const stateFile = join(scratch(t, 'sipd-restart'), 'dialogs');
  const first = await openAt(stateFile);
  const phone = await SipPhone.open();
  t.teardown(() => phone.close());
  const app = await RawApp.open(first);
  app.send(`a|authenticate|${secret}|${tag}`);
  app.send('b|route|invite');
  await app.reply('b');
  const call = phone.send('INVITE', sipUri(first, '100'), {
    body: sdp(4_000),
    headers: new Headers().add('Content-Type', 'application/sdp').add('From', '"Mrs Patient" <sip:5550100@ward>'),
  });
  const shown = await until('the call', () => app.received.find((payload) => payload.includes('|sip|network|')));
  const txn = shown.split('|')[8];
  app.send(`c|sip|${txn}|\r\nSIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n${sdp(5_000)}`);
  await call.final();
  const dialogId = (await app.reply('c')).split('|')[10] ?? '';
  await until('the ACK', () => app.received.find((payload) => payload.includes('\r\nACK ')));
  await until('the file', () => readFileSync(stateFile, 'utf8').includes('+ '));
  const { addresses } = first;
  app.close();
  first.leave();
  return { stateFile, addresses, phone, call, dialogId };
}

void t.test('sipd goes and comes: the call goes on, from both sides', async (t) => {
  const { stateFile, addresses, phone, call, dialogId } = await aCallWithoutSipd(t, 'pbx-1');
  t.equal(statSync(stateFile).mode & 0o777, 0o600);
  t.notMatch(readFileSync(stateFile, 'latin1'), /Patient|5550100|ward/, 'nobody is named on disk');
  const second = await openAt(stateFile, addresses);
  t.teardown(() => second.close());
  t.equal(second.metrics.ownedDialogs, 1);
  const app = await RawApp.open(second);
  t.teardown(() => app.close());
  app.send(`a|authenticate|${secret}|pbx-1`);
  app.send('b|route|invite');
  app.send(`d|sip||${dialogId}\r\nINFO sip:placeholder SIP/2.0\r\nContent-Type: text/plain\r\n\r\nhello`);
  t.match(await app.reply('d'), /\|OK\|/);
  t.equal((await phone.got('INFO')).request.body.toString(), 'hello');
  call.dialog?.bye();
  t.match(await until('the BYE', () => app.received.find((payload) => payload.includes('\r\nBYE '))), dialogId);
  await until('an empty file', () => /^- /m.test(readFileSync(stateFile, 'utf8')));
});

void t.test('a BYE before the app is back is answered, and told later', async (t) => {
  const { stateFile, addresses, phone, call } = await aCallWithoutSipd(t, 'pbx-1');
  const second = await openAt(stateFile, addresses);
  t.teardown(() => second.close());
  call.dialog?.bye();
  await until('the end for the phone', () => phone.endings.length > 0);
  const srf = new Srf('pbx-1');
  t.teardown(() => srf.disconnect());
  const missed: string[] = [];
  (srf as unknown as { use(verb: string, handler: (req: { get(name: string): string }) => void): void }).use(
    'bye',
    (req) => {
      missed.push(req.get('Call-ID'));
    },
  );
  void srf.connect({ ...second.addresses.control, secret });
  await once(srf, 'connect');
  await until('the BYE that was missed', () => missed.length > 0);
  t.same(missed, [call.dialog?.callId]);
});

void t.test('what cannot be read is left out: a torn line, another secret, no file', async (t) => {
  const { stateFile, addresses } = await aCallWithoutSipd(t, 'pbx-1');
  const line = readFileSync(stateFile, 'utf8').trim();
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: object, what: string) => void warnings.push(what) };
  const [sign, id = '', sealed = ''] = line.split(' ');
  for (const text of [`${line}\n${sign} x${id} ${sealed}\n+ torn AAAA`, `+ ${id} ${sealed.slice(0, -8)}`, '']) {
    writeFileSync(stateFile, text);
    const sipd = await openAt(stateFile, addresses, logger);
    t.equal(sipd.metrics.ownedDialogs, text.startsWith(line) ? 1 : 0);
    sipd.leave();
  }
  t.same(warnings, ['dialogs not readable', 'dialogs not readable']);
});

void t.test('nobody comes back for an app without a tag; a sipd that stops in good order leaves nothing', async (t) => {
  const stateFile = join(scratch(t, 'sipd-stop'), 'dialogs');
  const sipd = await openAt(stateFile);
  const phone = await SipPhone.open();
  t.teardown(() => phone.close());
  const app = await RawApp.open(sipd);
  app.send(`a|authenticate|${secret}|pbx-1`);
  app.send(`d|sip||\r\nINVITE ${phone.uri('b')} SIP/2.0\r\n\r\n`);
  (await phone.got('INVITE')).respond(200);
  await until('the file', () => readFileSync(stateFile, 'utf8').includes('+ '));
  app.close();
  await sipd.close();
  t.equal(phone.requests.at(-1)?.request.method, 'BYE');
  t.equal(readFileSync(stateFile, 'utf8'), '');
});
