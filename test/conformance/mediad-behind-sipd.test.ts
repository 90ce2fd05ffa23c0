/** The whole pair: a phone, sipd, the real drachtio-srf and drachtio-fsmrf clients, mediad. */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { SECRET, startMediad, type MrfEndpoint, type MrfServer } from '../support/mediad-process.ts';
import { RtpPhone } from '../support/rtp-phone.ts';
import { SipCaller } from '../support/sip-caller.ts';

interface SrfDialog extends EventEmitter {
  destroy(): Promise<void>;
}
interface SrfApp extends EventEmitter {
  connect(options: unknown): void;
  invite(handler: (req: unknown, res: unknown) => void): void;
  disconnect(): void;
}
interface Caught {
  readonly endpoint: MrfEndpoint;
  readonly dialog: SrfDialog;
}

const require = createRequire(import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'pair-'));
const mediad = await startMediad();
const { child, sipPort, controlPort } = await startSipd();
const srf = new (require('drachtio-srf') as new () => SrfApp)();
srf.connect({ host: '127.0.0.1', port: controlPort, secret: SECRET });
await once(srf, 'connect');
const Mrf = require('drachtio-fsmrf') as new (
  srf: SrfApp,
) => { connect(options: unknown): Promise<MrfServer & Connector> };
interface Connector {
  connectCaller(req: unknown, res: unknown): Promise<Caught>;
}
const server = await new Mrf(srf).connect({
  address: '127.0.0.1',
  port: mediad.eventSocketPort,
  secret: SECRET,
  listenAddress: '127.0.0.1',
});
const caller = await SipCaller.open();
const caught: Caught[] = [];
const arrivals = new EventEmitter();
srf.invite((req, res) => {
  server.connectCaller(req, res).then(
    (pair) => {
      caught.push(pair);
      arrivals.emit('caught');
    },
    (error: unknown) => arrivals.emit('error', error),
  );
});

t.teardown(async () => {
  caller.close();
  server.disconnect();
  srf.disconnect();
  child.kill('SIGTERM');
  await once(child, 'exit');
  await mediad.stop();
  await rm(folder, { recursive: true });
});

async function startSipd(): Promise<{ child: ChildProcess; sipPort: number; controlPort: number }> {
  const file = join(folder, 'sipd.json');
  const options = { sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }], control: { port: 0 }, secret: SECRET };
  await writeFile(file, JSON.stringify(options), { mode: 0o600 });
  const child = spawn(process.execPath, ['src/sipd/main.ts', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ready = JSON.parse(line) as { sip: string[]; control: { port: number } };
  return { child, sipPort: Number(ready.sip[0]!.split(':').at(-1)), controlPort: ready.control.port };
}

async function aCall() {
  const phone = await RtpPhone.open();
  const { response, call } = await caller.invite(`sip:7011@127.0.0.1:${sipPort}`, {}, phone.sdp);
  if (call === undefined) throw new Error(`refused with ${response.status}`);
  call.ack();
  phone.talkTo(response.body.toString());
  if (caught.length === 0) await once(arrivals, 'caught');
  return { phone, call, ...caught.shift()! };
}

void t.test('a caller is connected, hears a question, answers it and hangs up', async (t) => {
  const { phone, call, endpoint, dialog } = await aCall();
  const answer = endpoint.playCollect({ file: 'tone_stream://%(60000,0,350)', min: 1, max: 1, timeout: 5000 });
  await phone.hears(350);
  await phone.press('2');
  t.match(await answer, { digits: '2' });
  const destroyed = once(dialog, 'destroy');
  call.bye();
  await destroyed;
  await endpoint.destroy();
  phone.close();
});

void t.test('two callers are bridged; the application hangs up, and both phones are told', async (t) => {
  const a = await aCall();
  const b = await aCall();
  await a.endpoint.bridge(b.endpoint);
  a.phone.say(440);
  b.phone.say(700);
  await Promise.all([a.phone.hears(700), b.phone.hears(440)]);
  for (const { endpoint, dialog } of [a, b]) {
    await endpoint.destroy();
    await dialog.destroy();
  }
  await Promise.all([a.call.ended(), b.call.ended()]);
  t.match(await server.api('show channels count'), /^\n0 total/);
  a.phone.close();
  b.phone.close();
});

void t.test('an endpoint made first is given its far end later, and is told when mediad ends it', async (t) => {
  const endpoint = await server.createEndpoint();
  const phone = await RtpPhone.open('PCMA');
  await endpoint.modify(phone.sdp);
  const answer = await endpoint.getChannelVariables(false);
  phone.talkTo(String(answer['variable_rtp_local_sdp_str']));
  const playing = endpoint.play('tone_stream://%(60000,0,600)');
  await phone.hears(600);
  const destroyed = once(endpoint, 'destroy');
  await server.api(`uuid_kill ${endpoint.uuid} USER_BUSY`);
  t.match(await destroyed, [{ reason: 'USER_BUSY' }]);
  await playing;
  phone.close();
});
