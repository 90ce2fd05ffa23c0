import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ICAL from 'ical.js';
import t, { type Test } from 'tap';
import { type House, startAdmin } from '../../src/admin/index.ts';
import { calendarsOf } from '../../src/cli/app/calendars.ts';
import { Closing } from '../../src/cli/app/closing.ts';
import { watchFeeds } from '../../src/cli/app/feeds.ts';
import { dataFolders } from '../../src/cli/folders.ts';
import { CalendarDuties } from '../../src/cli/calendar-duties.ts';
import { newToken, tokenHash } from '../../src/cli/calendar-token.ts';
import { silentLog } from '../../src/cli/attest-once.ts';
import { loadConfig } from '../../src/config/index.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { Logins } from '../../src/directory/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import { makeOverride, type PersonId, type ServiceId } from '../../src/core/oncall/index.ts';
import { type Instant, instant, wall, zone } from '../../src/core/time/index.ts';
import { calendarText, changedLast } from '../../src/documents/feeds/index.ts';
import { compileFiles, type DocumentFile } from '../../src/documents/index.ts';
import { createHealth } from '../../src/observe/index.ts';
import { openStore, type Store } from '../../src/storage/index.ts';
import { recordedPrompts } from '../support/plan-example.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { warmCli } from '../support/warm-cli.ts';

// Calendars that Outlook, Google and Apple subscribe to, read by another library than wrote the code that makes them.

const home = zone('America/Chicago');
const at = (text: string): Instant => home.toInstant(wall(text)!);
const NOW = at('2026-11-22 06:00');
const plan = readFileSync('test/conformance/plans/house/plan.yaml', 'utf8');
const ames = { person: 'dr-ames' as PersonId };

function rosterOf(primary: string, more = ''): string {
  return `zone: America/Chicago
people:
  dr-ames: { name: Dr Ames, desk: 3101, mobile: "+12025550111" }
  dr-bell: { name: Dr Bell, desk: 3102, mobile: "+12025550112" }
services:
  cardiology:
    name: Cardiology
    mailbox: cardiology
    primary: [${primary}]
    attending: [{ always: dr-bell }]
    chains: { stat: plain, urgent: plain, routine: plain }
chains:
  plain: { steps: [{ ring: primary, on: [desk], for: 20s }], last-resort: voicemail }
${more}`;
}

const daily = (people: string, handoff = '08:00') =>
  `{ rotation: [${people}], every: day, handoff: "${handoff}", since: 2026-09-01 }`;

async function houseWith(t: Test, versions: readonly { readonly at: Instant; readonly roster: string }[]) {
  const folders = dataFolders(t.testdir({}));
  const store = await openStore(folders.store);
  t.teardown(() => store.close());
  for (const version of versions) await keep(store, version);
  return { store, folders };
}

async function keep(store: Store, { at, roster }: { readonly at: Instant; readonly roster: string }): Promise<void> {
  const files: readonly DocumentFile[] = [
    { kind: 'roster', path: 'oncall/a.yaml', text: roster },
    { kind: 'plan', path: 'dialplans/a.yaml', text: plan },
  ];
  const compiled = compileFiles(files, { prompts: recordedPrompts, now: at });
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.problems));
  await store.documents.save(compiled.version);
}

interface Event {
  readonly uid: string;
  readonly from: string;
  readonly to: string;
  readonly title: string;
  readonly sequence: number;
  readonly changed: string;
}

/** As a subscriber reads it. */
function read(text: string): readonly Event[] {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
  return calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component);
    const show = (time: ICAL.Time) => {
      if (time.zone !== ICAL.Timezone.utcTimezone) throw new Error(`a time that is not of UTC: ${time.toString()}`);
      return home.show(instant(time.toUnixTime() * 1_000));
    };
    return {
      uid: event.uid,
      from: show(event.startDate),
      to: show(event.endDate),
      title: event.summary,
      sequence: Number(component.getFirstPropertyValue('sequence')),
      changed: show(component.getFirstPropertyValue('last-modified') as ICAL.Time),
    };
  });
}

void t.test('the past is told by the roster of then, and a duty that did not change is the same event', async (t) => {
  const { store } = await houseWith(t, [
    { at: at('2026-10-01'), roster: rosterOf(daily('dr-ames, dr-bell')) },
    { at: at('2026-11-10 12:00'), roster: rosterOf(daily('dr-bell, dr-ames')) },
    { at: at('2026-11-15 12:00'), roster: rosterOf(daily('dr-bell, dr-ames'), '# a remark\n') },
  ]);
  const calendars = new CalendarDuties(store);
  const duties = calendars.of(ames, NOW);
  const events = read(calendarText(duties, 'On call'));
  const on = (day: string) => events.filter(({ from }) => from.startsWith(day));
  t.match(on('2026-11-02'), [{ title: 'Dr Ames: Cardiology, primary', to: '2026-11-03 08:00' }]);
  t.match(on('2026-11-08'), [{ to: '2026-11-09 08:00', changed: '2026-10-01 00:00' }]);
  t.match(on('2026-11-09'), [], 'that was the day of Dr Bell, whatever the rules say now');
  t.match(on('2026-11-10'), [{ from: '2026-11-10 08:00', to: '2026-11-10 12:00', changed: '2026-11-10 12:00' }]);
  t.match(on('2026-11-11'), [{ to: '2026-11-12 08:00', changed: '2026-11-10 12:00' }]);
  t.match(on('2026-11-15'), [{ to: '2026-11-16 08:00', changed: '2026-11-10 12:00' }], 'a remark changes no duty');
  t.match(on('2026-12-25'), [{ to: '2026-12-26 08:00', changed: '2026-11-10 12:00' }]);
  t.equal(new Set(events.map(({ uid }) => uid)).size, events.length);
  t.ok(events[0]!.from >= '2026-10-22' && events.at(-1)!.from < '2027-02-21', 'thirty days back, ninety ahead');
  // On the night on which clocks changed a duty lasts 25 hours; whoever subscribes is told in UTC.
  const night = read(calendarText(calendars.of({ service: 'cardiology' as ServiceId }, NOW), ''));
  t.match(
    night.find(({ from }) => from.startsWith('2026-10-31')),
    { to: '2026-11-01 08:00' },
  );
});

void t.test('duties without an end are shown by weeks, which are the same tomorrow', async (t) => {
  const { store } = await houseWith(t, [{ at: at('2026-10-01'), roster: rosterOf('{ always: dr-ames }') }]);
  const today = read(calendarText(new CalendarDuties(store).of(ames, NOW), ''));
  const tomorrow = read(calendarText(new CalendarDuties(store).of(ames, at('2026-11-23 06:00')), ''));
  t.match(
    today.find(({ from }) => from === '2026-11-23 00:00'),
    { to: '2026-11-30 00:00' },
  );
  t.match(
    today.find(({ from }) => from === '2026-10-26 00:00'),
    { to: '2026-11-02 00:00' },
    'also across a change of clocks',
  );
  const both = today.filter(({ uid }) => tomorrow.some((event) => event.uid === uid));
  t.same(
    both.slice(1, -1),
    tomorrow.filter(({ uid }) => both.slice(1, -1).some((event) => event.uid === uid)),
  );
  t.ok(both.length >= 15);
});

void t.test('an override is in it, and what it changed has a later number', async (t) => {
  const { store } = await houseWith(t, [{ at: at('2026-11-01'), roster: rosterOf(daily('dr-ames, dr-bell')) }]);
  const calendars = new CalendarDuties(store);
  const before = read(calendarText(calendars.of({ service: 'cardiology' as ServiceId }, NOW), ''));
  const files = store.documents.lastGood()!.files;
  const compiled = compileFiles(files, { prompts: recordedPrompts, now: NOW });
  if (compiled.kind === 'refused') return t.fail('refused');
  const span = { from: at('2026-11-25 08:00'), to: at('2026-11-26 08:00') };
  const decision = makeOverride(
    {
      kind: 'take',
      service: 'cardiology' as ServiceId,
      tier: 'primary',
      span,
      out: null,
      in: 'dr-bell' as PersonId,
      author: 'R. Okafor',
      reason: 'ill',
    },
    { roster: compiled.roster, now: NOW },
  );
  if (decision.kind === 'refused') return t.fail(decision.because);
  store.overrides.apply(decision.change);
  const after = read(calendarText(calendars.of({ service: 'cardiology' as ServiceId }, NOW), ''));
  const primary = (events: readonly Event[]) =>
    events.filter(({ from, title }) => from === '2026-11-25 08:00' && title.endsWith('primary'));
  t.match(primary(after), [{ title: 'Dr Bell: Cardiology, primary', changed: '2026-11-22 06:00' }]);
  t.ok(primary(after)[0]!.sequence > primary(before)[0]!.sequence);
  const others = (events: readonly Event[]) => events.filter((event) => !primary(events).includes(event));
  t.same(others(after), others(before), 'nothing else has changed');
  t.equal(changedLast(calendars.of({ service: 'cardiology' as ServiceId }, NOW)), NOW);
  t.equal(
    calendarText(calendars.of(ames, NOW), ''),
    calendarText(calendars.of(ames, NOW), ''),
    'the same text each time',
  );
});

function houseOf(calendar: House['calendar']): House {
  return {
    readiness: () => ({ isReady: true, parts: [] }),
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    calendar,
  };
}

async function served(t: Test, calendar: House['calendar']): Promise<string> {
  const admin = await startAdmin({ listen: '127.0.0.1:0', publicUrl: '' }, houseOf(calendar));
  if (admin.kind !== 'listening') throw new Error(admin.problem);
  t.teardown(() => admin.close());
  return `http://127.0.0.1:${admin.port}/calendars`;
}

void t.test('over HTTP: who has the address reads it, once for each change', async (t) => {
  const token = newToken();
  const text = 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n';
  const url = await served(t, async (asked) => (asked === token ? { text, etag: '"one"', changedAt: NOW } : 'unknown'));
  const first = await fetch(`${url}/${token}.ics`);
  t.equal(first.status, 200);
  t.equal(await first.text(), text);
  t.match(Object.fromEntries(first.headers), {
    'content-type': 'text/calendar; charset=utf-8',
    etag: '"one"',
    'last-modified': 'Sun, 22 Nov 2026 12:00:00 GMT',
    'cache-control': 'private, max-age=300',
  });
  for (const tags of ['"one"', 'W/"one"', '"two", "one"', '*']) {
    const again = await fetch(`${url}/${token}.ics`, { headers: { 'if-none-match': tags } });
    t.equal(again.status, 304, tags);
    t.equal(await again.text(), '');
  }
  t.equal((await fetch(`${url}/${token}.ics`, { headers: { 'if-none-match': '"two"' } })).status, 200);
  t.equal((await fetch(`${url}/${token}.ics`, { method: 'HEAD' })).headers.get('etag'), '"one"');
  t.equal((await fetch(`${url}/${newToken()}.ics`)).status, 404);
  for (const odd of ['x', `${token}x`, `${token}.ics/..`, '%00']) {
    t.ok([400, 404].includes((await fetch(`${url}/${odd}.ics`)).status), odd);
  }
});

void t.test('whoever guesses is stopped, and a house that is busy says so', async (t) => {
  const known = newToken();
  const good = { text: 'BEGIN:VCALENDAR', etag: '"one"', changedAt: null };
  const guessed = await served(t, async (asked) => (asked === known ? good : 'unknown'));
  const statuses: number[] = [];
  for (let i = 0; i < 65; i++) statuses.push((await fetch(`${guessed}/${newToken()}.ics`)).status);
  t.same(new Set(statuses), new Set([404, 429]));
  t.equal(statuses.filter((status) => status === 404).length, 60);
  t.equal((await fetch(`${guessed}/${known}.ics`)).status, 200, 'who has an address is served all the same');
  const busy = await fetch(`${await served(t, async () => 'busy')}/${newToken()}.ics`);
  t.equal(busy.status, 503);
  t.equal(busy.headers.get('retry-after'), '60');
});

void t.test('made in a thread of its own; who is removed reads nothing any more', async (t) => {
  const { store, folders } = await houseWith(t, [
    { at: at('2026-11-01'), roster: rosterOf(daily('dr-ames, dr-bell')) },
  ]);
  const closing = new Closing();
  t.teardown(() => closing.close());
  const seen: SystemFact[] = [];
  const logins = new Logins({ clock: systemClock, record: (fact) => seen.push(fact) });
  t.teardown(() => logins.close());
  const calendar = calendarsOf({ store, folders, log: silentLog, logins }, closing);
  const token = newToken();
  t.equal(await calendar(token), 'unknown');
  const id = store.calendars.add({ person: 'dr-ames', service: null }, tokenHash(token), NOW, 'root');
  const first = await calendar(token);
  if (typeof first === 'string') return t.fail(first);
  t.ok(read(first.text).some(({ title }) => title === 'Dr Ames: Cardiology, primary'));
  t.match(first.etag, /^"[\w-]{27}"$/);
  t.equal(await calendar(token), first, 'who asks at once again is told the same without any work');
  t.ok(store.calendars.end(id, NOW, 'root'));
  t.notOk(store.calendars.end(id, NOW, 'root'));
  t.equal(await calendar(token), 'unknown');
  t.match(seen, [
    { fact: 'loginsSeen', door: 'calendar', who: '', result: 'wrong', times: 1 },
    { fact: 'loginsSeen', door: 'calendar', who: String(id), result: 'right', times: 1 },
  ]);
  t.equal(seen.length, 2, 'further ones are told together, later');
});

void t.test('wardline oncall calendar: the address is shown once, and kept nowhere', async (t) => {
  const data = join(t.testdir({}), 'data');
  const wardline = async (...args: string[]) => {
    const { code, out, err } = await warmCli([...args, '--data', data]);
    return { code, said: out + err };
  };
  t.match(await wardline('oncall', 'calendar', 'add', '--person', 'dr-nobody'), {
    code: 1,
    said: /no person dr-nobody/,
  });
  t.match(await wardline('oncall', 'calendar', 'add'), { code: 2, said: /--person or --service/ });
  const { code, said } = await wardline('oncall', 'calendar', 'add', '--person', 'dr-ames');
  t.equal(code, 0, said);
  const token = /http:\/\/127\.0\.0\.1:8080\/calendars\/([\w-]{43})\.ics/.exec(said)?.[1] ?? '';
  t.equal(token.length, 43);
  t.match(said, /To end it: wardline oncall calendar remove 1/);
  const proxied = ['--set', 'admin.publicUrl=https://oncall.example.org/'];
  t.match(await wardline('oncall', 'calendar', 'add', '--service', 'cardiology', ...proxied), {
    said: /\nhttps:\/\/oncall\.example\.org\/calendars\/[\w-]{43}\.ics\n/,
  });
  t.match(await wardline('oncall', 'calendar', 'list'), { code: 0, said: /1 +Dr Ames .*\n *2 +Cardiology/ });
  const store = readFileSync(join(data, 'wardline.db')).toString('latin1');
  t.notOk(store.includes(token), 'the token is not in the store');
  t.match(await wardline('oncall', 'calendar', 'remove', '1'), { code: 0 });
  t.match(await wardline('oncall', 'calendar', 'remove', '1'), { code: 1, said: /no calendar 1/ });
  t.match(await wardline('oncall', 'calendar', 'list'), { said: /^(?!.*Dr Ames)/ });
  t.match(await wardline('audit', 'verify'), { code: 0 });
});

/** Watches the feeds of a roster by a clock that the test moves. */
async function feedWatch(t: Test, roster: string) {
  const folder = t.testdir({});
  const { store } = await houseWith(t, [{ at: NOW, roster }]);
  const given = loadConfig({ set: [`oncall=${folder}`] });
  if (given.kind === 'bad') throw new Error(given.problems.join());
  const health = createHealth();
  const clock = new VirtualClock(NOW);
  const closing = new Closing();
  t.teardown(() => closing.close());
  const inForce = { version: 'one', zone: 'America/Chicago' };
  const facts: SystemFact[] = [];
  const record = async (fact: SystemFact) => void facts.push(fact);
  const documents = { current: () => ({ roster: inForce }) } as never;
  watchFeeds({ config: given.value, store, record, health, log: silentLog }, documents, closing, clock);
  const report = () => health.report().checks;
  const passes = async (what: string, look: () => boolean) => {
    await until(what, () => {
      clock.advance(5_000);
      return look();
    });
  };
  return { folder, store, inForce, facts, report, passes };
}

const feeds = (name: string) => `feeds:\n  ${name}: { calendar: ./${name}.ics, names: { Ames: dr-ames } }\n`;

void t.test('a feed that the roster does not declare any more is not missed', async (t) => {
  const { folder, store, inForce, report, passes } = await feedWatch(t, rosterOf(daily('dr-ames'), feeds('old')));
  const failing = () => report().map(({ name, kind }) => `${name} ${kind}`);
  await passes('a feed that cannot be read to be told', () => failing().join() === 'feed old failing');
  await keep(store, { at: NOW, roster: rosterOf(daily('dr-ames'), feeds('new')) });
  inForce.version = 'two';
  writeFileSync(join(folder, 'new.ics'), 'no calendar');
  await passes('the new one in its place', () => failing().join() === 'feed new failing');
  await keep(store, { at: NOW, roster: rosterOf(daily('dr-ames')) });
  inForce.version = 'three';
  await passes('nothing to be missed', () => failing().length === 0);
});

void t.test('a feed of any size costs the thread that decides calls next to nothing', async (t) => {
  const { folder, store, facts, passes } = await feedWatch(t, rosterOf(daily('dr-ames'), feeds('cards')));
  const stamp = (ms: number) => new Date(ms).toISOString().replaceAll(/[-:]|\.000/g, '');
  const event = (i: number) => [
    'BEGIN:VEVENT',
    `UID:${i}`,
    `DTSTART:${stamp(NOW + (30 - i) * 86_400_000)}`,
    `DTEND:${stamp(NOW + (31 - i) * 86_400_000)}`,
    'SUMMARY:Ames',
    'END:VEVENT',
  ];
  // Fifty years of duties, as some systems publish them.
  const events = Array.from({ length: 19_000 }, (_, i) => event(i)).flat();
  writeFileSync(join(folder, 'cards.ics'), ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR', ''].join('\r\n'));
  const before = { own: process.threadCpuUsage(), all: process.cpuUsage() };
  const sum = ({ user, system }: NodeJS.CpuUsage) => user + system;
  await passes('the feed to be taken', () => store.feeds.documents().length === 1);
  const own = sum(process.threadCpuUsage(before.own));
  const all = sum(process.cpuUsage(before.all));
  t.match(facts, [{ fact: 'feedTaken', feed: 'cards', added: 31 }]);
  t.ok(own < all / 3, `${own} of ${all} µs`);
});
