import t from 'tap';
import { phi } from '../../src/core/phi/index.ts';
import {
  createHealth,
  createLogger,
  openMetrics,
  type Logger,
  type LoggerOptions,
  OnceAMinute,
} from '../../src/observe/index.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NAME = 'Zebulon Quackenbush';
const NUMBER = '2025550177';
const PASSWORD = 'hunter2-correct-horse';

function capture(options: Partial<LoggerOptions> = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLogger({ name: 'test', level: 'trace', destination, ...options }), lines };
}

/** Everything a careless line could carry. */
function sayEverything(log: Logger): void {
  const caller = phi(NUMBER);
  const failure = Object.assign(
    new Error(`lookup of ${String(caller)} failed`, { cause: new Error(`for ${String(phi(NAME))}`) }),
    {
      details: { caller, list: [caller, { name: phi(NAME) }] },
    },
  );
  log.info({ from: caller }, 'call arrived');
  log.info({ a: { b: { c: { name: phi({ full: NAME }) } } } }, 'nested');
  log.info({ map: new Map([[caller, phi(NAME)]]), set: new Set([caller]) }, 'collections');
  log.warn({ err: failure }, 'lookup failed');
  log.error(failure, 'an error as the fields');
  log.info({ json: JSON.stringify({ caller }), text: String(caller), joined: [caller].join() }, 'as text');
  log.child({ caller: phi(NAME) }).debug({}, 'from a child');
  log.info({ uri: `sip:+1${NUMBER}@10.0.0.1` }, `INVITE sip:+1${NUMBER}@example.test failed`);
  log.info({ password: PASSWORD, controlSecret: PASSWORD, deep: { ha1Md5: PASSWORD, phiKey: PASSWORD } }, 'secrets');
  const header = `Digest username="2101", realm="x", nonce="${PASSWORD}", response="${PASSWORD}"`;
  log.info({ headers: { Authorization: header, 'Proxy-Authorization': header } }, 'headers');
  log.info({ raw: `REGISTER sip:x SIP/2.0\r\nAuthorization: ${header}\r\nCSeq: 1 REGISTER\r\n` }, 'message');
  log.info({ part: `response="${PASSWORD}"` }, `nonce=${PASSWORD}`);
  log.info({ audio: Buffer.from(NAME) }, 'bytes');
}

for (const format of ['json', 'terminal'] as const) {
  void t.test(`planted names, numbers and secrets are nowhere in a ${format} log`, async (t) => {
    const { log, lines } = capture({ format });
    sayEverything(log);
    const all = lines.join('');
    t.equal(lines.length, 13, 'every line was written');
    for (const planted of [NAME, NUMBER, PASSWORD]) t.notOk(all.includes(planted), planted);
    t.match(lines[0], format === 'json' ? '"from":"[phi]"' : 'from=[phi]');
    t.match(all, /\[redacted\]/);
    t.match(all, /CSeq: 1 REGISTER/, 'what is not secret stays');
    t.match(all, /call arrived/);
  });
}

void t.test('a log line never throws and stays bounded', async (t) => {
  const { log, lines } = capture();
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  const trap = {
    get boom(): string {
      throw new Error('getter');
    },
  };
  log.info({ loop, trap, big: 10n, f: () => 1, s: Symbol('x'), at: new Date(NaN), none: undefined }, 'odd things');
  log.info({ long: 'x'.repeat(100_000), many: Array.from({ length: 5000 }, (_, i) => i) }, 'large things');
  t.equal(lines.length, 2);
  t.match(JSON.parse(lines[0] ?? ''), {
    loop: { self: '[circular]' },
    trap: '[unreadable]',
    big: '10',
    f: '[function]',
  });
  t.ok((lines[1] ?? '').length < 6000, 'bounded');
});

void t.test('levels, children and the terminal form', async (t) => {
  const { log, lines } = capture({ level: 'info', format: 'terminal' });
  log.debug({}, 'not shown');
  log.child({ call: 'K7QX-2M4D' }).warn({ step: 2, says: 'a b\nc\u001b[31m' }, 'step timed out');
  t.equal(lines.length, 1);
  t.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} warn {2}test: step timed out call=K7QX-2M4D step=2 says="a b·c·\[31m"\n$/);
});

void t.test('metrics: names, values, the same name twice', async (t) => {
  const metrics = await openMetrics({ process: false });
  metrics.counter('wardline_calls_total', 'Calls.', ['cause']).inc({ cause: 'busy' });
  metrics.counter('wardline_calls_total', 'Calls.', ['cause']).inc({ cause: 'busy' }, 2);
  metrics.gauge('wardline_legs', 'Legs.').set(4);
  metrics.gaugeOf('wardline_live', 'Live.', () => 7);
  metrics.histogram('wardline_decision_seconds', 'Decision.', [0.1, 1]).observe(0.5);
  const page = await metrics.text();
  t.match(page, /wardline_calls_total\{cause="busy"\} 3/);
  t.match(page, /wardline_legs 4/);
  t.match(page, /wardline_live 7/);
  t.match(page, /wardline_decision_seconds_bucket\{le="1"\} 1/);
  t.match(metrics.contentType, /text\/plain/);
  t.throws(() => metrics.counter('Calls', 'x'), /wardline_/);
  t.match(await (await openMetrics()).text(), /process_cpu/);
});

void t.test('health: one failing check makes the whole failing, and says why', async (t) => {
  const health = createHealth();
  t.same(health.report(), { kind: 'ok', checks: [] });
  health.ok('store');
  health.failing('audit', 'the disk is full: free some space');
  t.same(health.report(), {
    kind: 'failing',
    checks: [
      { name: 'audit', kind: 'failing', why: 'the disk is full: free some space' },
      { name: 'store', kind: 'ok' },
    ],
  });
  health.ok('audit');
  t.equal(health.report().kind, 'ok');
  health.forget('audit');
  t.equal(health.report().checks.length, 1);
});

void t.test('what repeats itself is said at once, then once a minute with how often it was', async (t) => {
  const clock = new VirtualClock();
  const said = new OnceAMinute(clock);
  const lines: string[] = [];
  const phone = (extension: string) =>
    said.say(
      extension,
      ({ times }) => void lines.push(times === undefined ? extension : `${extension} ${times} times`),
    );
  for (let i = 0; i < 100; i++) phone('2101');
  phone('2102');
  t.same(lines, ['2101', '2102']);
  clock.advance(60_000);
  t.same(lines.splice(0), ['2101', '2102', '2101 99 times']);
  phone('2101');
  clock.advance(60_000);
  t.same(lines.splice(0), ['2101 1 times'], 'a minute begins with each line');
  clock.advance(60_000);
  phone('2101');
  t.same(lines.splice(0), ['2101'], 'after a quiet minute it is news again');
  phone('2101');
  said.close();
  t.same(lines.splice(0), ['2101 1 times'], 'nothing that was counted is lost');
  t.equal(clock.pending, 0);
});

void t.test(
  'somebody who makes up a new name for every try writes no more lines than a thousand a minute',
  async (t) => {
    const clock = new VirtualClock();
    const said = new OnceAMinute(clock);
    let lines = 0;
    for (let i = 0; i < 5000; i++) said.say(`phone ${i}`, () => (lines += 1));
    t.ok(lines <= 1001, `${lines} lines`);
    said.close();
  },
);
