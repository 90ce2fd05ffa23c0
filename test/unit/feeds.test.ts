import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ICAL from 'ical.js';
import t, { type Test } from 'tap';
import { judgeFeed, type FeedShift, type PersonId, type PublishedShift } from '../../src/core/oncall/index.ts';
import { instant, type Instant, wall, zone } from '../../src/core/time/index.ts';
import { declaredFeeds, feedDocument, shiftsIn } from '../../src/documents/feeds/index.ts';
import { warmCli } from '../support/warm-cli.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const home = zone('America/Chicago');
const at = (text: string): Instant => home.toInstant(wall(text)!);
const NOW = at('2026-11-22 06:00');
const WITHIN = { from: at('2026-11-01'), to: at('2027-02-01') };

/** A good feed: a shift of a day each, by turns. */
function published(days: number, names = ['Ames', 'Bell']): PublishedShift[] {
  return Array.from({ length: days }, (_, i) => {
    const from = instant(NOW + (i - 1) * DAY);
    return { who: names[i % names.length]!, as: '', from, to: instant(from + DAY) };
  });
}

const settings = {
  names: new Map([
    ['Ames', 'dr-ames' as PersonId],
    ['Bell', 'dr-bell' as PersonId],
  ]),
  shrinkShare: 0.3,
  staleAfterMs: 2 * DAY,
  zoneName: 'America/Chicago',
};

function judge(
  shifts: readonly PublishedShift[],
  before: readonly FeedShift[] | null = null,
  writtenAt: Instant | null = null,
) {
  const verdict = judgeFeed({ shifts, writtenAt }, before, settings, NOW);
  return verdict.kind === 'good' ? verdict.shifts : verdict.because;
}

void t.test('a feed that cannot be believed is refused, and says why', async (t) => {
  const good = judge(published(30)) as readonly FeedShift[];
  t.equal(good.length, 30);
  t.equal(judge([], good), 'it has no shift from now on');
  t.equal(
    judge(
      published(1).map((one) => ({ ...one, from: at('2026-10-01'), to: at('2026-10-02') })),
      good,
    ),
    'it has no shift from now on',
  );
  t.equal(judge(published(15), good), 'it covers 50 % less of the next 28 days than before');
  t.equal((judge(published(22), good) as readonly FeedShift[]).length, 22, 'a little less is life');
  t.equal(judge(published(30, ['Ames', 'Bel']), good), 'nobody knows who is meant by "Bel" (did you mean "Bell"?)');
  t.equal(judge(published(30), good, instant(NOW - 3 * DAY)), 'it was written on 2026-11-19 06:00 and not since');
  const moved = published(30).map((one, i) => (i === 5 ? { ...one, from: instant(one.from + HOUR) } : one));
  t.match(judge(moved, good), /^nobody is on duty from 2026-11-26 06:00 to 2026-11-26 07:00/);
  const early = published(30).map((one, i) => (i === 5 ? { ...one, from: instant(one.from - HOUR) } : one));
  t.match(judge(early, good), /^dr-ames and dr-bell are on duty at once at 2026-11-26 05:00/);
  for (const bad of [
    { from: NOW, to: NOW },
    { from: NOW, to: instant(NOW + 40 * DAY) },
    { from: instant(0), to: instant(DAY) },
    { from: instant(Number.NaN), to: NOW },
  ]) {
    t.match(judge([{ who: 'Ames', as: '', ...bad }, ...published(30)]), /^a shift of Ames lasts from /);
  }
  t.match(judge(Array.from({ length: 6_000 }, () => published(1)[0]!)), 'it has 6000 shifts');
});

function feed(yaml: string) {
  const text = `zone: America/Chicago\nfeeds:\n  cards:\n${yaml}`;
  const [declared] = declaredFeeds([{ kind: 'roster', path: 'oncall/a.yaml', text }], 'UTC');
  if (declared === undefined) throw new Error('the feed is not declared');
  return declared;
}

function told(shifts: readonly PublishedShift[]): string[] {
  return shifts.map(({ who, as, from, to }) => `${home.show(from)} ${home.show(to)} ${who}/${as}`).toSorted();
}

const CALENDAR = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20261120T120000Z
DTSTART;TZID=America/Chicago:20261030T080000
DTEND;TZID=America/Chicago:20261031T080000
RRULE:FREQ=WEEKLY;COUNT=5
EXDATE;TZID=America/Chicago:20261113T080000
SUMMARY:Cards Call: Ames
END:VEVENT
BEGIN:VEVENT
UID:1
RECURRENCE-ID;TZID=America/Chicago:20261120T080000
DTSTAMP:20261121T120000Z
DTSTART;TZID=America/Chicago:20261120T100000
DTEND;TZID=America/Chicago:20261121T080000
SUMMARY:Cards Call: Bell
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20261120T120000Z
DTSTART:20261201T140000Z
DTEND:20261202T140000Z
SUMMARY:Chen
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTAMP:20261120T120000Z
STATUS:CANCELLED
DTSTART:20261203T140000Z
DTEND:20261204T140000Z
SUMMARY:Cards Call: Ames
END:VEVENT
BEGIN:VEVENT
UID:4
DTSTAMP:20261120T120000Z
DTSTART;VALUE=DATE:20261205
DTEND;VALUE=DATE:20261206
SUMMARY:Cards Call: Bell
END:VEVENT
END:VCALENDAR
`;

void t.test('a calendar: zones, recurrences with exceptions, moved and cancelled events, whole days', async (t) => {
  const cards = feed(`    calendar: cards.ics\n    names: {}\n    title: "{as}: {who}"`);
  const { shifts, writtenAt } = cards.read(CALENDAR.replaceAll('\n', '\r\n'), WITHIN);
  t.same(told(shifts), [
    '2026-11-06 08:00 2026-11-07 08:00 Ames/Cards Call',
    '2026-11-20 10:00 2026-11-21 08:00 Bell/Cards Call',
    '2026-11-27 08:00 2026-11-28 08:00 Ames/Cards Call',
    '2026-12-01 08:00 2026-12-02 08:00 Chen/',
    '2026-12-05 00:00 2026-12-06 00:00 Bell/Cards Call',
  ]);
  t.equal(writtenAt, Date.parse('2026-11-21T12:00:00Z'));
  for (const bad of ['', 'BEGIN:VCALENDAR', 'hello', 'BEGIN:VCARD\r\nEND:VCARD'])
    t.throws(() => cards.read(bad, WITHIN));
  const forever = CALENDAR.replace('FREQ=WEEKLY;COUNT=5', 'FREQ=SECONDLY');
  t.throws(() => cards.read(forever, WITHIN), { message: /come over 50000 times/ });
  // Nothing of these is read: they are counted first.
  const many = `BEGIN:VCALENDAR\r\n${'BEGIN:VEVENT\r\nrubbish\r\n'.repeat(20_001)}`;
  t.throws(() => cards.read(many, WITHIN), { message: /it has over 20000 events/ });
  const usual = Object.getOwnPropertyDescriptor(ICAL.Component.prototype, 'getAllSubcomponents')!
    .value as () => unknown;
  const looks = t.capture(ICAL.Component.prototype, 'getAllSubcomponents', usual);
  cards.read(calendar(200), WITHIN);
  t.equal(looks().length, 1, 'events are looked through once, not once for each');
});

void t.test('tables: with and without a head, dates of both kinds, ends on the next day', async (t) => {
  const named = feed(
    `    table: a.csv\n    names: {}\n    columns: { who: Name, as: Duty, date: Date, start: Start, stop: Stop }`,
  );
  const csv =
    'Date,Name,Duty,Start,Stop\r\n11/22/2026,"Ames, John",Call,7:00 AM,7:00 AM\r\n11/23/26,Bell,Call,0700,1900\r\n';
  t.same(told(named.read(csv, WITHIN).shifts), [
    '2026-11-22 07:00 2026-11-23 07:00 Ames, John/Call',
    '2026-11-23 07:00 2026-11-23 19:00 Bell/Call',
  ]);
  t.throws(() => named.read(csv.replace('Name', 'Nmae'), WITHIN), {
    message: /it has no column "Name", but Date, Nmae/,
  });
  t.throws(() => named.read(csv.replace('11/23/26', '23/11/26'), WITHIN), { message: /row 3 has no date/ });
  const placed = feed(
    `    table: a.txt\n    names: {}\n    delimiter: tab\n    dates: day-first\n    columns: { who: 0, from: 1, until: 2 }`,
  );
  t.same(told(placed.read('Ames\t22.11.2026 07:00\t2026-11-23 07:00\n', WITHIN).shifts), [
    '2026-11-22 07:00 2026-11-23 07:00 Ames/',
  ]);
  const rows = 'Ames\t22.11.2026 07:00\t2026-11-23 07:00\n'.repeat(100_003);
  t.throws(() => placed.read(rows, WITHIN), { message: /over 100000 rows/ });
  t.throws(
    () => placed.read('"\n'.repeat(100_003), WITHIN),
    { message: /over 100000 rows/ },
    'counted before it is read',
  );
});

void t.test('what was taken is kept as a document that says the same again', async (t) => {
  const shifts = judge(published(30).map((one) => ({ ...one, as: 'a "quoted" — duty' }))) as readonly FeedShift[];
  t.same(shiftsIn(feedDocument('cards', shifts, NOW).text), shifts);
  t.same(shiftsIn(feedDocument('cards', [], NOW).text), []);
});

/** Lakeside, whose cardiology is published by another system. */
function house(t: Test, source: string) {
  const root = t.testdir({ data: {} });
  cpSync('dialplans', join(root, 'dialplans'), { recursive: true });
  cpSync('oncall', join(root, 'oncall'), { recursive: true });
  const file = join(root, 'oncall', 'lakeside.yaml');
  const rules = '{ rotation: [dr-ames, dr-bell], every: week, handoff: mon 08:00, since: 2026-01-05 }';
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replace(`- ${rules}`, '- feed: cards\n      - always: dr-chen')
      .replace(
        'services:',
        `feeds:\n  cards:\n    calendar: ${source}\n    names: { Ames: dr-ames, Bell: dr-bell }\nservices:`,
      ),
  );
  const set = ['--set', `dialplans=${join(root, 'dialplans')}`, '--set', `oncall=${join(root, 'oncall')}`];
  const wardline = async (...args: string[]) => {
    const { code, out, err } = await warmCli(['oncall', ...args, '--data', join(root, 'data'), ...set]);
    return { code, said: out + err };
  };
  return { wardline, oncall: join(root, 'oncall') };
}

function calendar(days: number, names: readonly string[] = ['Ames', 'Bell']): string {
  const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 13).replaceAll(/[-:]/g, '')}0000Z`;
  const start = Date.now() - 12 * HOUR;
  const events = Array.from({ length: days }, (_, i) => {
    const lines = [
      `UID:${i}`,
      `DTSTAMP:${stamp(Date.now())}`,
      `DTSTART:${stamp(start + i * DAY)}`,
      `DTEND:${stamp(start + (i + 1) * DAY)}`,
    ];
    return ['BEGIN:VEVENT', ...lines, `SUMMARY:${names[i % names.length]}`, 'END:VEVENT'].join('\r\n');
  });
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...events, 'END:VCALENDAR', ''].join('\r\n');
}

void t.test('a published roster: taken when good, kept when bad, and urgent edits survive it', async (t) => {
  const { wardline, oncall } = house(t, 'cards.ics');
  const publish = (text: string) => writeFileSync(join(oncall, 'cards.ics'), text);
  const primary = async () => /primary +(Dr \w+)/.exec((await wardline('show', 'cardiology')).said)?.[1];
  t.equal(await primary(), 'Dr Chen', 'nothing was published yet: the next rule answers');
  t.match(await wardline('import'), {
    code: 1,
    said: /cards: REFUSED, the last good roster stays: it cannot be read: ENOENT/,
  });

  publish(calendar(30));
  t.match(await wardline('import', '--dry-run'), {
    code: 0,
    said: /cards: would be taken \(nothing was changed\), 30 shifts:\n {2}\+ dr-ames, /,
  });
  t.equal(await primary(), 'Dr Chen');
  t.match(await wardline('import'), { code: 0, said: /cards: taken, 30 shifts/ });
  t.equal(await primary(), 'Dr Ames');
  t.match((await wardline('show', 'cardiology')).said, /feed cards, on duty until /);
  t.match(await wardline('import'), { code: 0, said: 'cards: as before, 30 shifts.' });

  for (const bad of [calendar(0), calendar(10), calendar(30, ['Ames', 'Belle']), 'no calendar']) {
    publish(bad);
    t.match(await wardline('import'), { code: 1, said: /REFUSED, the last good roster stays/ });
    t.equal(await primary(), 'Dr Ames', 'nobody was put off duty');
  }

  publish(calendar(30));
  const signed = ['--reason', 'ill', '--by', 'R. Okafor'];
  await wardline('override', 'replace', 'cardiology', 'primary', 'dr-ames', 'dr-chen', ...signed);
  t.equal(await primary(), 'Dr Chen');
  publish(calendar(31));
  t.match(await wardline('import'), {
    code: 0,
    said: /taken[\s\S]*Override 1 of R\. Okafor counts, but feed cards says something else/,
  });
  t.equal(await primary(), 'Dr Chen', 'the urgent edit is still there');
  t.match(await wardline('override', 'list'), { said: /not in feed cards/ });

  publish(calendar(10));
  t.match(await wardline('import', '--anyway'), { code: 0, said: /taken, 10 shifts/ });
});

void t.test('a feed is fetched from a server, and an alert about it is raised once', async (t) => {
  let answer = { status: 200, body: calendar(30) };
  const server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { wardline } = house(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/cards.ics`);
  t.match(await wardline('import'), { code: 0, said: /taken, 30 shifts/ });
  answer = { status: 503, body: '' };
  for (let i = 0; i < 3; i++)
    t.match(await wardline('import'), { code: 1, said: /cannot be read: the server answers 503/ });
  answer = { status: 200, body: 'x'.repeat(11_000_000) };
  t.match(await wardline('import'), { code: 1, said: /it is over 10 MB/ });
});

void t.test('the duties of a person as a calendar that can be read again', async (t) => {
  const data = join(t.testdir({}), 'data');
  const { code, out } = await warmCli(['oncall', 'export', '--person', 'dr-diaz', '--days', '7', '--data', data]);
  t.equal(code, 0);
  const { shifts } = feed(`    calendar: x\n    names: {}\n    title: "{who}: {as}"`).read(out, {
    from: instant(0),
    to: instant(Date.UTC(2100, 0, 1)),
  });
  t.ok(
    shifts.length >= 7 && shifts.every(({ who, to, from }) => who === 'Dr Diaz' && to - from === DAY),
    `${shifts.length} shifts`,
  );
  t.same([...new Set(shifts.map(({ as }) => as))].toSorted(), ['Neurology, backup', 'Neurology, primary']);
  const nowhere = join(data, 'none', 'x.ics');
  t.match(await warmCli(['oncall', 'export', '--person', 'dr-diaz', '--data', data, '--out', nowhere]), {
    code: 1,
    err: /--out \S+x\.ics: cannot be written \(ENOENT\): check the folder and the disk/,
  });
  t.match(await warmCli(['oncall', 'export', '--data', data]), { code: 2, err: /say either --person or --service/ });
  t.match(await warmCli(['oncall', 'export', '--person', 'x', '--data', data]), {
    code: 1,
    err: /there is no person x/,
  });
});
