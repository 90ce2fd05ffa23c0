import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import t from 'tap';
import { SideLine } from '../../src/cli/app/side-line.ts';
import { controlFrame } from '../../src/cli/ask-control-port.ts';
import { statNumbers, type Verb } from '../../src/core/dialplan/index.ts';
import type { PlanSource } from '../../src/core/dialplan/index.ts';
import { inOneGo } from '../../src/core/steps/index.ts';
import { type Flow, Headers, parseMessage, responseTo, silentLogger, type SipRequest } from '../../src/sip/index.ts';
import { Admission } from '../../src/sipd/admission/admission.ts';
import { SipdServer, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { sipdLimits } from '../../src/sipd/limits.ts';
import { onTime, RoundTrip } from '../../src/telephony/round-trip.ts';
import { until } from '../support/processes.ts';
import { RawApp, secret } from '../support/sipd-and-app.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const escalate = (urgency: string) => ({ verb: 'escalate', service: 'x', urgency }) as unknown as Verb;
const busy = { verb: 'hangUp', cause: 'busy' } as unknown as Verb;
const stat = escalate('stat');
const run = (flow: string) => ({ verb: 'run', flow }) as unknown as Verb;

void t.test('STAT numbers are those that lead to a STAT chain without a key', (t) => {
  const to: Readonly<Record<string, Verb>> = {
    '7011': stat,
    '7012': escalate('routine'),
    '7013': run('by-hours'),
    '7014': run('round'),
    '+12025550100': run('main-line'),
    '7015': { verb: 'setUrgency', urgency: 'stat', then: run('by-hours') } as unknown as Verb,
    '7016': { verb: 'transfer', number: '7011' } as unknown as Verb,
    '7017': { verb: 'transfer', number: '7012' } as unknown as Verb,
    '70xx': stat,
  };
  const flows: Readonly<Record<string, Verb>> = {
    'by-hours': {
      verb: 'choose',
      by: 'hours',
      cases: { open: busy, closed: stat },
      otherwise: busy,
    } as unknown as Verb,
    'main-line': { verb: 'menu', keys: { 1: stat }, otherwise: busy } as unknown as Verb,
    round: { verb: 'choose', by: 'site', cases: { a: run('round') }, otherwise: busy } as unknown as Verb,
  };
  const routes = Object.entries(to).map(([number, verb]) => ({ number, to: verb }));
  const source = { routes, flows } as unknown as PlanSource;
  t.same(inOneGo(statNumbers(source)), ['7011', '7013', '7015', '7016']);
  t.end();
});

const call = (to: string, more: Record<string, string> = {}): SipRequest => {
  const text = aMessage({ start: `INVITE sip:${to}@pbx.example SIP/2.0`, CSeq: '1 INVITE', ...more });
  const parsed = parseMessage(Buffer.from(text));
  if (parsed.kind !== 'message' || parsed.message.kind !== 'request') throw new Error('no request');
  return parsed.message;
};
const flow = { protocol: 'udp', remote: { host: '192.0.2.1', port: 5060 } } as Flow;

/** The answer to the challenge of that number, right or wrong: only the app can tell. */
const password = (challenge: number) => ({ Authorization: `Digest username="2101", nonce="n${challenge}"` });

void t.test('overload sheds routine calls, those that have answered a challenge last', (t) => {
  const clock = new VirtualClock(0);
  let [appLateMs, unreadShare] = [0, 0];
  const admission = new Admission({
    clock,
    limits: sipdLimits.parse({ shedWhenLateMs: 500, halfOpenTotal: 8, halfOpenPerSource: 4, dialogs: 4 }),
    dialogs: () => 0,
    appLoad: () => ({ lateMs: appLateMs, lateNowMs: 0 }),
    unreadShare: () => unreadShare,
  });
  const [app, another] = [{}, {}];
  admission.reserve(app, ['7011']);
  let challenge = 0;
  const challenged = () => {
    const headers = new Headers().add('WWW-Authenticate', `Digest realm="x", nonce="n${++challenge}"`);
    const response = responseTo(call('2102'), 401, { headers });
    admission.answered(call('2102'), response, flow);
    return password(challenge);
  };
  const status = (request: SipRequest, total = 0) => {
    const screening = admission.screen(request, flow, { ofSource: 0, total });
    return screening === undefined || screening === 'ignore' ? screening : screening.status;
  };
  const at = (): unknown[] => [status(call('2102')), status(call('2102', challenged())), status(call('7011'))];
  t.same(at(), [undefined, undefined, undefined]);
  appLateMs = 600;
  t.same(at(), [503, undefined, undefined], 'the app reads us late');
  t.equal(status(call('2102', password(challenge))), 503, 'each challenge is answered once');
  t.equal(status(call('2102', password(9_999))), 503, 'a header that anybody can write');
  const late = challenged();
  clock.advance(32_001);
  appLateMs = 600;
  t.equal(status(call('2102', late)), 503, 'an answer that comes when nobody remembers');
  appLateMs = 1_200;
  t.same(at(), [503, 503, undefined]);
  appLateMs = 0;
  unreadShare = 1;
  clock.advance(300);
  t.same(at(), [undefined, undefined, undefined], 'a burst of garbage that is read at once');
  unreadShare = 0;
  clock.advance(160);
  unreadShare = 0.3;
  clock.advance(1_000);
  t.same(at(), [503, undefined, undefined], 'datagrams wait in the kernel');
  unreadShare = 0;
  clock.advance(1_000);
  t.same(
    [status(call('2102'), 8), status(call('7011'), 8), status(call('7011'), 10)],
    [503, undefined, 503],
    'a quarter more',
  );
  admission.reserve(another, ['7013']);
  t.equal(status(call('7011'), 8), undefined, 'what another app wants takes nothing away');
  t.equal(status(call('7013'), 8), undefined);
  admission.appGone(another);
  t.equal(status(call('7013'), 8), 503);
  admission.appGone(app);
  t.equal(status(call('7011'), 8), undefined, 'nobody has come for the calls of the app that is gone');
  admission.reserve(another, []);
  t.equal(status(call('7011'), 8), 503, 'the plan has changed');
  t.equal(status(call('911'), 8), undefined, 'what the configuration says stays');
  admission.close();
  t.end();
});

async function aSipd(port = 0) {
  const options = sipdOptionsSchema.parse({
    sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    control: { port },
    secret,
    limits: { shedWhenLateMs: 500 },
  });
  return SipdServer.open(options, silentLogger);
}

void t.test('the app tells sipd what is STAT and how late it is, and a sipd that was restarted too', async (t) => {
  const first = await aSipd();
  let numbers = ['7011'];
  let lateMs = 700;
  const { port } = first.addresses.control;
  const line = new SideLine({ host: '127.0.0.1', port, tls: null }, secret, {
    numbers: () => numbers,
    lateness: () => ({ lateMs, lateNowMs: lateMs }),
  });
  t.teardown(() => line.close());
  await until('how late it is', () => first.metrics['lateMs'] === 700);
  lateMs = 5;
  await until('that it is not', () => (first.metrics['lateMs'] ?? 0) < 500);
  await first.close();
  const second = await aSipd(port);
  t.teardown(() => second.close());
  lateMs = 800;
  numbers = ['7011', '7013'];
  await until('the next one to know', () => second.metrics['lateMs'] === 800);
  t.equal(second.metrics['reservedNumbers'], 4, 'with those of the configuration');
  line.close();
  await until('nothing to be known of an app that is gone', () => (second.metrics['lateMs'] ?? 0) < 500);

  const app = await RawApp.open(second);
  t.teardown(() => app.close());
  app.send(`1|authenticate|${secret}|`);
  await app.reply('1');
  for (const [asked, says] of [
    ['reserve', /NOK\|reserve wants/],
    ['reserve\r\n{"numbers":["7011;x"]}', /NOK\|reserve wants/],
    [`reserve\r\n${JSON.stringify({ numbers: Array.from({ length: 20_001 }, String) })}`, /NOK\|reserve wants/],
    ['reserve\r\n{"numbers":[]}', /OK\|reserved\|0/],
    ['load', /NOK\|load wants/],
    ['load|-1', /NOK\|load wants/],
    ['load|99999999999', /NOK\|load wants/],
    ['load|7', /OK\|load/],
  ] as const) {
    app.send(`q|${asked}`);
    const told = await until(asked.slice(0, 20), () => {
      const found = app.received.findIndex((payload) => payload.split('|')[2] === 'q');
      return found >= 0 && app.received.splice(found, 1)[0];
    });
    t.match(told, says, asked.slice(0, 40));
  }
});

void t.test('a server that does not know these words is left in peace', async (t) => {
  const heard: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard.push(bytes.toString());
      const isLogin = bytes.includes('authenticate');
      socket.write(
        controlFrame(`u|response|cli|${isLogin ? 'OK|udp/1.2.3.4:5060|v0.9.9|' : 'NO|Unknown message type'}`),
      );
      if (!isLogin) socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const line = new SideLine({ host: '127.0.0.1', port, tls: null }, secret, {
    numbers: () => [],
    lateness: () => onTime,
  });
  await until('the refusal', () => line.isOver);
  t.same([connections, heard.length], [1, 2]);
});

void t.test('the round trip tells of an answer that is still to come, and forgets a lost connection', (t) => {
  const clock = new VirtualClock(0);
  const asked: (() => void)[] = [];
  const engineClock = {
    now: () => clock.now(),
    monotonicMs: () => clock.now(),
    after: (ms: number, action: () => void) => {
      const timer = clock.after(ms, action);
      return { cancel: () => timer.stop() };
    },
  };
  const trip = new RoundTrip(engineClock as never, (answered) => asked.push(answered));
  t.equal(trip.lateMs, 0);
  trip.begin();
  const answerAfter = (ms: number): void => {
    clock.advance(ms);
    asked.at(-1)?.();
    clock.advance(250);
  };
  answerAfter(5);
  answerAfter(1_900);
  t.equal(trip.lateMs, 5, 'a pause is no overload');
  t.equal(trip.lateNowMs, 2_055, 'though it is a pause');
  answerAfter(400);
  // Asked 205 ms before: the question goes out every 100 ms.
  t.equal(trip.lateMs, 605, 'whoever is late twice is late');
  answerAfter(5);
  t.equal(trip.lateMs, 160, 'it is over');
  t.equal(trip.lateNowMs, 210, 'the question that runs');
  const { length } = asked;
  clock.advance(1_900);
  t.equal(asked.length, length, 'one at a time');
  clock.advance(500);
  t.ok(trip.lateMs > 2_000, String(trip.lateMs));
  trip.close();
  asked.at(-1)?.();
  t.equal(trip.lateMs, 0);
  trip.begin();
  answerAfter(700);
  t.equal(trip.lateMs, 0, 'once is nothing');
  t.equal(trip.lateNowMs, 700);
  answerAfter(700);
  t.equal(trip.lateMs, 700);
  trip.close();
  t.end();
});
