import { createSocket } from 'node:dgram';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { askBySip } from '../../src/cli/ask-by-sip.ts';
import { drachtioServer } from '../support/drachtio-server.ts';
import { House } from '../support/house.ts';
import { housesAtOnce } from '../support/left-out.ts';
import { until } from '../support/processes.ts';
import { heardFor } from '../support/sound.ts';
import { warmCli } from '../support/warm-cli.ts';

// Stories 9 and 10: every call leaves a record that cannot be bent, and documents change while calls run.

// Each story has a house of its own and mostly waits for speech.
t.jobs = housesAtOnce(2);

t.test('story 9: one record per call, and verify names what was touched', async (t) => {
  const house = await House.start(t, { phones: ['2101', '2102'] });
  const [ward, icu] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)]);
  await ward.dial(house.uri('2102'));
  await icu.event('CALL_INCOMING');
  await icu.accept();
  await ward.event('CALL_ESTABLISHED');
  await ward.hangUp();
  const talk = await house.endedCall();
  const w = ward.mark();
  await ward.dial(house.uri('4711'));
  await ward.event('CALL_CLOSED', w);
  const refused = await house.endedCall();
  for (const facts of [talk, refused]) {
    t.equal(facts.of('ended').length, 1);
    t.ok(
      facts.has('arrived') && facts.has('documentsUsed') && facts.has('decided'),
      `${facts.callId} tells how it began`,
    );
  }

  await t.test('call show is a ladder a nurse manager can read', async (t) => {
    const { out, code } = await house.cli('call', 'show', talk.callId);
    t.equal(code, 0);
    t.match(out, /Ward 4B/);
    t.match(out, /hung up/);
    t.notMatch(out, /undefined|\[object|NaN|\{"/);
    t.equal((await house.cli('call', 'show', 'NO-SUCH')).code, 1);
  });

  await t.test('call ladder shows the SIP of every leg; of a real drachtio-server it says why not', async (t) => {
    const { out, err, code } = await house.cli('call', 'ladder', talk.callId.toLowerCase());
    if (house.hasRealSignalling) {
      t.match({ code, err }, { code: 1, err: /keeps no ladder, for it is not our own sipd/ });
      return;
    }
    t.equal(code, 0, err);
    // Asked for a password first.
    for (const says of ['INVITE 2102, SDP', '401 Unauthorized', 'rung as 2102', 'calls as 2101', 'BYE'])
      t.match(out, says);
    t.ok(out.split('\n').every((line) => line.length <= 80));
    t.notMatch(out, /undefined|\[object|NaN|Digest/);
    const { messages } = await house.json<{ messages: { callId: string; message: string }[] }>(
      'call',
      'ladder',
      talk.callId,
    );
    t.ok(new Set(messages.map(({ callId }) => callId)).size >= 2, 'both legs');
    t.notMatch(JSON.stringify(messages), /response=|Ward 4B/);
    t.match(await house.cli('call', 'ladder', 'AAAA-AAAA-AAAA'), { code: 1, err: /the audit knows no call/ });
    t.match(await house.cli('call', 'ladder', 'no-such@phone'), { code: 1, err: /no message of call no-such@phone/ });
  });

  await house.close();
  t.match(await warmCli(['call', 'ladder', talk.callId, '--data', house.data]), {
    code: 1,
    err: drachtioServer === undefined ? /sipd does not run/ : /drachtio-server keeps no ladder/,
  });
  const store = join(house.data, 'wardline.db');
  const verify = () => warmCli(['audit', 'verify', '--json', '--data', house.data]);
  const whole = await verify();
  t.equal(whole.code, 0, whole.err + whole.out);
  t.ok((JSON.parse(whole.out) as { entries: number }).entries > 10);

  const keep = join(house.data, 'kept.db');
  new Database(store).pragma('wal_checkpoint(TRUNCATE)');
  copyFileSync(store, keep);
  const rows = () =>
    new Database(store, { readonly: true })
      .prepare('select seq from audit_entries order by seq')
      .pluck()
      .all() as number[];
  const middle = rows()[Math.floor(rows().length / 2)] ?? 0;
  const tampering: Record<string, string> = {
    'an edited byte': `update audit_entries set body = replace(body, '"fact"', '"fAct"') where seq = ${middle}`,
    'a removed entry': `delete from audit_entries where seq = ${middle}`,
    'two entries swapped': `update audit_entries set seq = case seq when ${middle} then -1 else ${middle} end where seq in (${middle}, ${middle + 1});
      update audit_entries set seq = ${middle + 1} where seq = -1`,
    'an added entry': `insert into audit_entries select (select max(seq) + 1 from audit_entries), ${columnsWithout(store, 'seq')} from audit_entries where seq = ${middle}`,
    'a cut tail': 'delete from audit_entries where seq = (select max(seq) from audit_entries)',
  };
  for (const [what, sql] of Object.entries(tampering)) {
    await t.test(`verify finds ${what}`, async (t) => {
      copyFileSync(keep, store);
      const db = new Database(store);
      db.exec(sql);
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      const result = await verify();
      t.equal(result.code, 1, result.out);
      t.match(result.out, /\d+/, 'names the entry');
      t.notMatch(result.err, /at .*\.ts:\d+/, 'no stack trace');
    });
  }
});

function columnsWithout(store: string, left: string): string {
  const db = new Database(store, { readonly: true });
  const columns = (db.pragma('table_info(audit_entries)') as { name: string }[])
    .map((column) => column.name)
    .filter((name) => name !== left);
  db.close();
  return columns.join(', ');
}

t.test('story 10: documents change while the house runs', async (t) => {
  const house = await House.start(t, { phones: ['2101', '2102', '3101', '3102'] });
  const [ward, icu] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)]);
  const plan = join(house.documents, 'dialplans/lakeside.yaml');
  const roster = join(house.documents, 'oncall/lakeside.yaml');
  const [ames, bell] = await Promise.all([house.desk(t, '3101', 770), house.desk(t, '3102', 880)]);
  const activePrimary = async () => {
    const { onCall } = await house.json<{ onCall: { tier: string; person: { desk: string } }[] }>(
      'oncall',
      'show',
      'cardiology',
    );
    return onCall.find((line) => line.tier === 'primary')?.person.desk;
  };
  const first = (await activePrimary()) === '3101' ? [ames, bell] : [bell, ames];

  // A call that runs keeps what it started with.
  await ward.dial(house.uri('7011'));
  await first[0]!.event('CALL_INCOMING');
  const before = await house.facts();

  const text = readFileSync(roster, 'utf8');
  const [ab, ba, keep] = ['[dr-ames, dr-bell]', '[dr-bell, dr-ames]', '[keep]'];
  const swapped = text.replace(ab, keep).replace(ba, ab).replace(keep, ba);
  t.not(swapped, text, 'the roster was changed');
  const writtenAt = performance.now();
  writeFileSync(roster, swapped);
  await until('the new roster to be active', async () => (await activations(house)) >= 2);
  t.comment(`active after ${Math.round(performance.now() - writtenAt)} ms, including the look through the CLI`);
  await first[0]!.accept();
  await until('the running call to talk', () => heardFor(ward.heard()[0]!, first[0] === ames ? 770 : 880) > 0.5);
  await ward.hangUp();
  const kept = await house.endedCall();
  t.same(kept.of('documentsUsed'), before.of('documentsUsed'));

  const marks = first.map((phone) => phone.mark());
  await ward.dial(house.uri('7011'));
  await first[1]!.event('CALL_INCOMING', marks[1]);
  t.notOk(first[0]!.has('CALL_INCOMING', marks[0]), 'the new roster counts for the new call');
  await ward.hangUp();
  t.notSame((await house.endedCall()).of('documentsUsed'), kept.of('documentsUsed'));

  const [second, earlier] = (await house.json<{ calls: { callId: string }[] }>('call', 'list')).calls;
  type Lines = { lines: string[] };
  const why = (await house.json<Lines>('plan', 'explain', earlier!.callId)).lines.join('\n');
  t.match(
    why,
    /Ward 4B \(2101\) dialled 7011\.\n[^]*is primary: weekly rotation[^]*took the call: picked up the desk phone/,
  );
  // What was decided by the roster of before goes to somebody else by the one that is in force, the other call the same way.
  const replayed = async () =>
    JSON.parse((await house.cli('plan', 'replay', '--since', '1d', '--json')).out) as unknown;
  const verdicts = { calls: 2, same: 1, changed: [{ callId: earlier!.callId, kind: 'somebodyElse' }] };
  t.match(await replayed(), verdicts);
  // Whoever takes a shift now was not on call then.
  const taken = await house.cli(
    ...['oncall', 'override', 'take', 'cardiology', 'primary', 'dr-chen', '--reason', 'ill', '--by', 'R. Okafor'],
  );
  t.equal(taken.code, 0, taken.out + taken.err);
  t.match(await replayed(), verdicts);
  t.equal((await house.cli('oncall', 'override', 'undo', '1')).code, 0);
  t.not(second!.callId, earlier!.callId);

  await t.test(
    'a broken file is refused with file, line, column and reason; the last good version stays',
    async (t) => {
      const good = readFileSync(plan, 'utf8');
      const line = good.split('\n').findIndex((row) => /7011/.test(row)) + 1;
      writeFileSync(plan, good.replace(/^(.*7011.*)$/m, '$1\n    no such thing: [1'));
      await until('the refusal', () => /lakeside\.yaml:\d+:\d+/.test(house.terminal()));
      const [, atLine] = /lakeside\.yaml:(\d+):\d+/.exec(house.terminal()) ?? [];
      t.ok(Math.abs(Number(atLine) - line) <= 3, `line ${atLine} is near ${line}`);
      const check = await house.cli('plan', 'check');
      t.equal(check.code, 1);
      t.match(check.out + check.err, /lakeside\.yaml:\d+:\d+/);
      const i = icu.mark();
      await ward.dial(house.uri('2102'));
      await icu.event('CALL_INCOMING', i);
      await ward.hangUp();
      writeFileSync(plan, good);
    },
  );
});

async function activations(house: House): Promise<number> {
  const metrics = await fetch(`http://${house.admin}/metrics`).then((answer) => answer.text());
  return Number(/^wardline_document_activations_total(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? 0);
}

t.test('garbage, silence and a phone that is gone harm nobody else', async (t) => {
  const house = await House.start(t, { phones: ['2101', '2102'] });
  const [ward, icu] = await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)]);
  const [host, port] = house.sip.split(':') as [string, string];
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const junk = [
    Buffer.alloc(0),
    Buffer.alloc(1400, 0xff),
    Buffer.from('INVITE sip:x SIP/2.0\r\n\r\n'),
    Buffer.from('\0\r\n:::'),
    Buffer.alloc(60_000, 'A'),
  ];
  for (let i = 0; i < 200; i++) socket.send(junk[i % junk.length]!, Number(port), host);
  const stream = connect(Number(house.sipTcp.split(':')[1]), '127.0.0.1');
  t.teardown(() => stream.destroy());
  stream.on('error', () => {});
  stream.write('INVITE sip:2102@127.0.0.1 SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n');

  // With a small receive buffer it loses what phones send among the garbage (docs/engines.md), their 180 too.
  if (drachtioServer !== undefined) {
    const place = { transport: 'udp', host, port: Number(port) } as const;
    await until('it to have read the garbage', async () => (await askBySip(place, 1_000)).kind === 'answers');
  }
  await ward.dial(house.uri('2102'));
  await icu.event('CALL_INCOMING');
  await icu.accept();
  await until('both to talk', () => heardFor(ward.heard()[0]!, 660) > 0.5 && heardFor(icu.heard()[0]!, 440) > 0.5);
  icu.vanish();
  await ward.hangUp();
  t.equal((await house.endedCall()).ending, 'callerHungUp');
  const doctor = await house.cli('doctor', '--json');
  t.ok([0, 1].includes(doctor.code), doctor.err);
  const verified = await house.cli('audit', 'verify');
  t.equal(verified.code, 0, verified.out);
});

t.test('the app is killed in mid-call and the conversation goes on', async (t) => {
  const house = await House.start(t, { phones: ['2101', '3101', '3102'] });
  const [nurse, ...doctors] = await Promise.all([
    house.desk(t, '2101', 440),
    house.desk(t, '3101', 660, { answer: 'auto' }),
    house.desk(t, '3102', 660, { answer: 'auto' }),
  ]);
  await nurse.dial(house.uri('7011'));
  await until('the nurse to hear the doctor', () => nurse.heard()[0] && heardFor(nurse.heard()[0]!, 660) > 0.8);
  const app = Number(house.ready['appPid']);
  process.kill(app, 'SIGKILL');
  const heardBefore = nurse.heard()[0]!.samples.length;
  await until('two more seconds of conversation', () => nurse.heard()[0]!.samples.length > heardBefore + 16_000);
  const sound = nurse.heard()[0]!;
  t.ok(heardFor({ rateHz: sound.rateHz, samples: sound.samples.subarray(heardBefore) }, 660) > 1.8, 'without a gap');
  await until(
    'the app to be back',
    () => Number((house.ready = house.readyNow())['appPid']) !== app && house.ready['ready'] === true,
  );
  t.ok(doctors.some((doctor) => doctor.has('CALL_ESTABLISHED')));
  await nurse.hangUp();
  t.equal((await house.endedCall()).ending, 'callerHungUp');
  const fresh = await house.desk(t, '2101', 550);
  const f = fresh.mark();
  await fresh.dial(house.uri('4711'));
  t.match((await fresh.event('CALL_CLOSED', f)).param, /404/, 'new calls are served');
});
