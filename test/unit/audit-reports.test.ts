import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import t from 'tap';
import { AuditLog } from '../../src/audit-log/index.ts';
import { callMetrics } from '../../src/cli/app/call-metrics.ts';
import { lostTime } from '../../src/cli/app/lost-time.ts';
import { csvLine } from '../../src/cli/audit/csv.ts';
import { masked } from '../../src/cli/audit/shown.ts';
import { factsReference, TimeToHuman } from '../../src/core/audit/index.ts';
import { type CallId, endCauses } from '../../src/core/call/index.ts';
import { htmlOf } from '../../src/core/audit/report/index.ts';
import { type Instant, instant, plusMs } from '../../src/core/time/index.ts';
import type { AuditEntry } from '../../src/engine/ports.ts';
import { createHealth, createLogger, openMetrics } from '../../src/observe/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { ensureSecrets } from '../../src/vault/index.ts';
import { aPlan, cardiology, mobiles, noon, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';
import { linesOfPdf } from '../support/pdf-text.ts';
import { type Consult, figuresOf } from '../support/recompute-figures.ts';
import { warmCli } from '../support/warm-cli.ts';
import { realClock as clock } from '../support/real-clock.ts';

const NUMBER = '+12025550177';
const DAY_MS = 86_400_000;

/** A number that doctors outside dial. */
const referred = aPlan([
  { number: '4199', from: 'anywhere', to: { verb: 'escalate', service: cardiology, urgency: 'stat' } },
]);

/** A fortnight of calls, of every kind that reports tell apart. */
function aFortnight(): readonly AuditEntry[] {
  const stories: ((at: Instant, n: number) => PaperCall)[] = [
    (at, n) => {
      const call = new PaperCall('7011', { at }).after(1 + n);
      call.phone(phones.ames).answers();
      call.after(30).phone(phones.ames).hangsUp();
      return call;
    },
    (at, n) => {
      const call = new PaperCall('7012', { at, unregistered: [phones.ames] }).after(n);
      call.phone(mobiles.ames).answers().presses('4');
      return call.after(20 + n).hangsUp();
    },
    (at) => new PaperCall('7011', { at, from: phones.icu }).after(5).hangsUp(),
    (at) => new PaperCall('7011', { at }).after(70).hangsUp(),
    (at) => {
      const call = new PaperCall('4199', { at, plan: referred, fromTrunk: true, number: NUMBER });
      call.phone(phones.ames).declines();
      call.phone(mobiles.ames).fails({ kind: 'trunkUnavailable', why: 'no line' });
      return call.after(90).hangsUp();
    },
    (at) => {
      const call = new PaperCall('7012', { at, from: phones.icu, unregistered: [phones.ames] });
      call.phone(mobiles.ames).answers();
      return call.after(400).hangsUp();
    },
    (at) => new PaperCall('2102', { at }).after(3).hangsUp(),
    (at) => new PaperCall('7011', { at, unregistered: Object.values(phones), trunkFault: 'down' }).after(200).hangsUp(),
  ];
  return Array.from({ length: 70 }, (_, n) => {
    const story = stories[n % stories.length];
    const callId = `CALL-${String(n).padStart(4, '0')}` as CallId;
    const { facts } = story?.(noon, n % 12) ?? { facts: [] };
    // The paper hospital knows one day only.
    return facts.map(({ at, fact }) => ({ at: plusMs(at, n * 0.2 * DAY_MS - 20 * DAY_MS), callId, fact }));
  }).flat();
}

async function aHouse(dir: string, entries: readonly AuditEntry[]) {
  const data = join(dir, 'data');
  mkdirSync(data, { mode: 0o700 });
  const secrets = await ensureSecrets(join(data, 'secrets'));
  const store = await openStore(join(data, 'wardline.db'), { sealer: secrets.phi });
  const log = await AuditLog.open({
    store: store.chain,
    headPath: join(data, 'audit.head'),
    spoolPath: join(data, 'audit.spool'),
    headKey: secrets.auditHeadKey,
    seal: (text) => secrets.phi.seal(text),
    bootId: 'boot',
    clock,
    deadlineMs: 60_000,
    logger: createLogger({ name: 'test', level: 'error', destination: { write: () => {} } }),
    health: createHealth(),
    signing: {
      checkpointPath: join(data, 'audit.checkpoints'),
      seed: secrets.auditSigningSeed,
      checkpointEntries: 100,
      checkpointMinutes: 5,
      anchors: [],
    },
  });
  await log.attest(entries);
  await log.close();
  await store.close();
  return { data, store: join(data, 'wardline.db') };
}

interface Answer {
  readonly entries: number;
  readonly sections: readonly { readonly heading: string; readonly rows: readonly (readonly string[])[] }[];
}

const shown = (ms: number) =>
  ms < 60_000
    ? `${Math.round(ms / 100) / 10} s`
    : `${Math.floor(Math.round(ms / 1000) / 60)} min ${Math.round(ms / 1000) % 60} s`;

function rowsOf(consults: readonly Consult[], keyOf: (consult: Consult) => string): readonly (readonly string[])[] {
  return [...new Set(consults.map(keyOf))].sort().map((key) => {
    const some = consults.filter((consult) => keyOf(consult) === key);
    const took = some.flatMap(({ tookMs }) => tookMs ?? []).sort((a, b) => a - b);
    const rank = (part: number) => took[Math.ceil(took.length * part) - 1];
    const many = (outcome: string) => String(some.filter((one) => one.outcome === outcome).length);
    return [
      key,
      String(some.length),
      String(took.length),
      many('abandoned'),
      many('late'),
      ...[rank(0.5), rank(0.9), took.at(-1)].map((ms) => (ms === undefined ? '' : shown(ms))),
    ];
  });
}

void t.test('reports over a period, recomputed from the raw chain', async (t) => {
  const entries = aFortnight();
  const { data } = await aHouse(t.testdir({}), entries);
  const audit = (...args: string[]) => warmCli(['audit', ...args, '--data', data]);
  const period = { from: plusMs(noon, -18 * DAY_MS), to: plusMs(noon, -8 * DAY_MS) };
  const within = ['--from', new Date(period.from).toISOString(), '--to', new Date(period.to).toISOString()];
  const report = async (kind: string, ...more: string[]) => {
    const out = join(data, `${kind}${more.join('')}.html`);
    const { code, out: said, err } = await audit('report', kind, '--out', out, '--json', ...within, ...more);
    t.equal(code, 0, err + said);
    return { answer: JSON.parse(said) as Answer, html: readFileSync(out, 'utf8') };
  };
  const section = ({ sections }: Answer, heading: string) =>
    sections.find((one) => one.heading === heading)?.rows ?? [];
  const exportAll = async (name: string) => {
    const file = join(data, name);
    t.equal((await audit('export', '--out', file)).code, 0);
    const { publicKey } = JSON.parse((await audit('key', '--json')).out) as { publicKey: string };
    return { file, publicKey };
  };
  const { consults, endings, talkedBy, talkedMs, responses, calls, facts } = figuresOf(
    await exportAll('raw.jsonl'),
    period,
  );
  t.ok(consults.length > 30 && new Set(consults.map(({ cause }) => cause)).size >= 4, 'every kind of call is there');

  const service = () => 'Cardiology';
  const unit = ({ from }: Consult) => (from.startsWith('trunk') ? 'outside' : (units[from] ?? 'no unit'));
  const urgency = (consult: Consult) => consult.urgency;

  await t.test('time to a human', async (t) => {
    const { answer, html } = await report('time-to-human');
    t.same(section(answer, 'By service'), rowsOf(consults, service));
    t.same(section(answer, 'By urgency'), rowsOf(consults, urgency));
    t.same(section(answer, 'By unit'), rowsOf(consults, unit));
    const all = (consult: Consult) => `${service()}, ${urgency(consult)}, ${unit(consult)}`;
    t.same(section(answer, 'By service, urgency and unit'), rowsOf(consults, all));
    const causes = ['media', 'trunk', 'declined', 'mailbox', 'ringTime', 'noRoster'];
    t.same(
      section(answer, 'Why it took too long').map(([, count]) => count),
      causes.map((cause) => String(consults.filter((consult) => consult.cause === cause).length)),
    );
    t.same(
      section(answer, 'Calls that reached nobody in time').map(([, call]) => call),
      consults.filter(({ outcome }) => outcome === 'late').map(({ callId }) => callId),
    );
    t.match(html, /^<!doctype html>[\s\S]*<h1>Time to a human<\/h1>/);
    t.notMatch(html, /undefined|NaN|\[object/);
  });

  await t.test('the same figures in /metrics', async (t) => {
    const metrics = await openMetrics({ process: false });
    const observer = callMetrics(metrics, (from) => units[from] ?? null);
    const ids = [...new Set(entries.map(({ callId }) => callId))];
    for (const callId of ids) {
      const way = new TimeToHuman();
      const ofCall = entries.filter(
        (entry) => entry.callId === callId && entry.at >= period.from && entry.at < period.to,
      );
      for (const { at, fact } of ofCall) way.take(at, fact as Parameters<TimeToHuman['take']>[1]);
      const nothing = { service: null, urgency: null, acceptedBy: null, talkedMs: 0, lastedMs: 0 };
      observer.callOver({ callId: callId as CallId, cause: 'callerHungUp', reach: way.result(), ...nothing });
    }
    const page = await metrics.text();
    const sum = (metric: string, label: string) =>
      [...page.matchAll(new RegExp(`^${metric}\\{[^}]*${label}[^}]*\\} (\\S+)$`, 'gm'))].reduce(
        (all, [, value]) => all + Number(value),
        0,
      );
    const many = (what: Partial<Consult>) =>
      consults.filter((consult) =>
        Object.entries(what).every(([key, value]) => consult[key as keyof Consult] === value),
      );
    for (const outcome of ['reached', 'abandoned', 'late'] as const) {
      t.equal(sum('wardline_consults_total', `outcome="${outcome}"`), many({ outcome }).length, outcome);
    }
    for (const urgency of ['stat', 'urgent']) {
      t.equal(sum('wardline_consults_total', `urgency="${urgency}"`), many({ urgency }).length, urgency);
      const tookMs = many({ urgency }).reduce((all, one) => all + (one.tookMs ?? 0), 0);
      const seconds = sum('wardline_consults_reached_seconds_total', `urgency="${urgency}"`);
      t.equal(Math.round(seconds * 1000), tookMs);
    }
    for (const cause of ['trunk', 'declined', 'mailbox', 'ringTime']) {
      t.equal(sum('wardline_time_to_human_breaches_total', `cause="${cause}"`), many({ cause }).length, cause);
    }
  });

  await t.test('calls', async (t) => {
    const { answer } = await report('calls');
    t.match(section(answer, 'In all')[0], ['arrived', String(calls)]);
    const counts = section(answer, 'How they ended').map(([, count]) => Number(count));
    t.same(counts.sort(), [...endings.values()].sort());
    t.equal(
      section(answer, 'By day').reduce((sum, [, count]) => sum + Number(count), 0),
      calls,
    );
    const minutes = section(answer, 'How they ended').reduce((sum, [, , talked]) => sum + Number(talked), 0);
    t.ok(talkedMs > 0 && Math.abs(minutes - talkedMs / 60_000) < 0.05 * counts.length, 'but for the rounding');
  });

  await t.test('emtala', async (t) => {
    const { answer } = await report('emtala');
    const taken = consults.filter(({ tookMs }) => tookMs !== null).length;
    t.same(section(answer, 'By service'), [
      ['Cardiology', String(consults.length), String(taken), String(consults.length - taken)],
    ]);
    t.equal(section(answer, 'Every request').length, consults.length);
    const byPerson = [...new Set(responses.map(({ person }) => person))].map((person) => {
      const own = responses.filter((one) => one.person === person);
      return [
        own.length,
        ...['took', 'declined', 'silent'].map((is) => own.filter(({ outcome }) => outcome === is).length),
      ];
    });
    const sorted = (rows: readonly (readonly (string | number)[])[]) => rows.map((row) => row.join(' ')).sort();
    t.ok(byPerson.length > 1);
    t.same(sorted(section(answer, 'By person').map(([, ...counts]) => counts)), sorted(byPerson));
  });

  await t.test('access: what was just read is on record, by whom, and numbers are masked', async (t) => {
    const { answer, html } = await report('hipaa-access');
    t.same(section(answer, 'In all'), [], 'nobody had read anything in that period');
    t.notOk(facts.has('auditRead'));
    const out = join(data, 'today.html');
    const { out: said } = await audit('report', 'hipaa-access', '--out', out, '--json', '--from', '2026-01-01');
    const today = section(JSON.parse(said) as Answer, 'Who read messages and records');
    t.ok(today.length >= 4);
    const raw = figuresOf(await exportAll('today.jsonl'), { from: Date.parse('2026-01-01'), to: Date.now() });
    // The export that is counted from is one more than the report could know.
    const reads = section(JSON.parse(said) as Answer, 'In all').find(([fact]) => fact === 'auditRead')?.[1];
    t.equal(Number(reads), (raw.facts.get('auditRead') ?? 0) - 1);
    t.match(
      today.map((row) => row[3]).join('\n'),
      /^the record from .* was read by .*: report of time-to-human, numbers masked, on [\w.-]+$/m,
    );
    t.equal(statSync(out).mode & 0o777, 0o600);
    t.notMatch(html, /2025550177/);
    const { code, err } = await audit('report', 'calls', '--out', out);
    t.match({ code, err }, { code: 1, err: /exists already/ });
  });

  await t.test('as PDF: what stands on the sheets is what was counted', async (t) => {
    const sheets = async (kind: string, over: readonly string[] = within) => {
      const out = join(data, `${kind}.pdf`);
      const { code, err } = await audit('report', kind, '--format', 'pdf', '--out', out, ...over);
      t.equal(code, 0, err);
      const bytes = readFileSync(out);
      t.ok((bytes.toString('latin1').match(/\/Type \/Page\b/g) ?? []).length >= 2, `${kind}: several sheets`);
      return linesOfPdf(bytes);
    };
    /** The rows, in order, behind the heading. */
    const stands = (lines: readonly string[], heading: string, rows: readonly (readonly string[])[]) => {
      let at = lines.indexOf(heading);
      t.ok(at !== -1 && rows.length > 0, heading);
      for (const row of rows) {
        const line = row.join(' ').replaceAll(/\s+/g, ' ').trim();
        at = lines.indexOf(line, at + 1);
        if (at === -1) return t.fail(`${heading}: "${line}" does not stand there`, { lines: lines.slice(0, 80) });
      }
    };
    const times = await sheets('time-to-human');
    stands(times, 'By service', rowsOf(consults, service));
    stands(times, 'By urgency', rowsOf(consults, urgency));
    stands(times, 'By unit', rowsOf(consults, unit));
    const requests = await sheets('emtala');
    const taken = consults.filter(({ tookMs }) => tookMs !== null).length;
    const inAll = ['Cardiology', String(consults.length), String(taken), String(consults.length - taken)];
    stands(requests, 'By service', [inAll]);
    const all = await sheets('calls');
    stands(all, 'In all', [['arrived', String(calls)]]);
    for (const [cause, count] of endings) {
      const minutes = ((talkedBy.get(cause) ?? 0) / 60_000).toFixed(1);
      stands(all, 'How they ended', [[endCauses[cause as keyof typeof endCauses].says, String(count), minutes]]);
    }
    const since = Date.parse('2026-01-01');
    const access = await sheets('hipaa-access', ['--from', '2026-01-01']);
    const raw = figuresOf(await exportAll('sheets.jsonl'), { from: since, to: Date.now() }).facts;
    // The report itself is on record only behind what it counted.
    const known: Readonly<Record<string, number>> = { auditRead: (raw.get('auditRead') ?? 0) - 1 };
    const counted = ['auditRead', 'signingKeyUsed', 'started', 'phoneAdded'].filter((fact) => raw.has(fact));
    for (const fact of counted) stands(access, 'In all', [[fact, String(known[fact] ?? raw.get(fact))]]);
    for (const lines of [times, requests, all, access])
      t.notMatch(lines.join('\n'), /2025550177|undefined|NaN|\[object/);
  });
});

const units: Readonly<Record<string, string>> = { 2101: 'Ward 4B', 2102: 'ICU' };

void t.test('exports for other eyes: JSON lines stay sealed, CSV is masked and has no formulas', async (t) => {
  const { data } = await aHouse(t.testdir({}), [
    ...aFortnight(),
    {
      at: plusMs(noon, -5 * DAY_MS),
      callId: null,
      fact: { fact: 'phoneAdded', extension: '2101', by: '=cmd|" /C calc"!A0' },
    },
  ]);
  const audit = (...args: string[]) => warmCli(['audit', ...args, '--data', data]);
  const jsonl = join(data, 'audit.jsonl');
  t.equal((await audit('export', '--out', jsonl)).code, 0);
  const key = JSON.parse((await audit('key', '--json')).out) as { publicKey: string };
  t.equal(
    (JSON.parse(readFileSync(jsonl, 'utf8').split('\n')[0] ?? '') as { publicKey: string }).publicKey,
    key.publicKey,
  );
  t.notMatch(readFileSync(jsonl, 'utf8'), /2025550177/);

  const csv = join(data, 'audit.csv');
  t.equal((await audit('export', '--format', 'csv', '--out', csv)).code, 0);
  const text = readFileSync(csv, 'utf8');
  t.notMatch(text, /2025550177/);
  t.match(text, /…77/);
  const rows = parse(text, { columns: true }) as Record<string, string>[];
  t.ok(rows.length > 80);
  t.notOk(rows.some((row) => Object.values(row).some((cell) => /^[=+\-@\t\r]/.test(cell))));
  const open = join(data, 'open.csv');
  const reveal = ['--reveal', '--reason', 'complaint 77', '--config', aRole(data, 'user')];
  t.equal((await audit('export', '--format', 'csv', ...reveal, '--out', open)).code, 0);
  t.match(readFileSync(open, 'utf8'), /\+12025550177/);
  const last = parse(readFileSync(open, 'utf8'), { columns: true }) as Record<string, string>[];
  t.match(
    last.findLast(({ fact }) => fact === 'auditRead')?.['says'],
    /csv, numbers masked/,
    'who read before is told',
  );
  for (const command of ['plan explain CALL-0001', 'call show CALL-0001']) {
    const { code, err } = await warmCli([...command.split(' '), ...reveal, '--data', data]);
    t.equal(code, 0, err);
  }
  const after = join(data, 'after.csv');
  t.equal((await audit('export', '--format', 'csv', '--out', after)).code, 0);
  t.equal(
    readFileSync(after, 'utf8').match(
      /auditRead.*call CALL-0001: numbers were shown to \S+ \(privacy-officer: complaint 77\), on \S/g,
    )?.length,
    2,
    'whoever saw a number is on record',
  );
  t.match(await audit('verify'), { code: 0 });
});

void t.test('numbers are shown to whom a role allows it, for a reason, and to nobody else', async (t) => {
  const { data } = await aHouse(t.testdir({}), aFortnight());
  const cli = async (command: string, ...more: string[]) => {
    const { code, out, err } = await warmCli([...command.split(' '), ...more, '--data', data]);
    return { code, said: out + err };
  };
  const why = ['--reason', 'complaint 77'];
  const csv = ['--format', 'csv', '--out', join(data, 'no.csv')];
  const commands: readonly (readonly [string, readonly string[]])[] = [
    ['audit search', []],
    ['audit export', csv],
    ['audit report calls', ['--out', join(data, 'no.html')]],
    ['call list', []],
    ['call show CALL-0004', []],
    ['plan explain CALL-0004', []],
  ];
  const person = userInfo().username;
  for (const [command, more] of commands) {
    t.match(await cli(command, ...more, '--reveal'), { code: 2, said: /say why with --reason/ }, command);
    t.match(await cli(command, ...more, ...why), { code: 2, said: /--reason goes with --reveal/ }, command);
    const refused = await cli(command, ...more, '--reveal', ...why);
    t.match(refused, { code: 1, said: /has no role that may see numbers and names: .* user:/ }, command);
    t.ok(refused.said.includes(`user:${person}`));
    t.notMatch(refused.said, /2025550177/);
    const own = `audit.reveal.mine=["user:${person}"]`;
    t.match(
      await cli(command, ...more, '--reveal', ...why, '--set', own),
      { code: 2, said: /configuration file/ },
      command,
    );
  }
  t.notOk(existsSync(join(data, 'no.csv')), 'nothing was written');
  const stranger = join(data, 'stranger.yaml');
  writeFileSync(stranger, 'audit:\n  reveal:\n    auditor: [user:nobody-here, group:nobody-here]\n');
  t.match(await cli('audit search --reveal', ...why, '--config', stranger), { code: 1, said: /has no role/ });
  t.match(await cli('audit export --out', join(data, 'x.jsonl'), '--reveal', ...why, '--config', aRole(data, 'user')), {
    code: 2,
    said: /JSON lines are evidence and stay sealed/,
  });
  for (const kind of ['user', 'group'] as const) {
    const seen = await cli('audit search --json --reveal', ...why, '--config', aRole(data, kind), '--number', NUMBER);
    t.match(seen, { code: 0, said: /2025550177/ }, kind);
  }
  const { said } = await cli('audit search --json --number', NUMBER);
  t.notMatch(said, /2025550177/);
  t.match(said, /…77/, 'everybody else sees the last two digits');
  const out = join(data, 'all.jsonl');
  t.equal((await cli('audit export --out', out)).code, 0);
  const shown = readFileSync(out, 'utf8')
    .split('\n')
    .filter((line) => line.includes('\\"numbers\\":\\"shown\\"'));
  t.equal(shown.length, 2, 'who saw them is on record, and who did not is not said to have');
  t.ok(shown.every((line) => /\\"reason\\":\\"complaint 77\\",\\"role\\":\\"privacy-officer\\"/.test(line)));
});

/** A configuration that names whoever runs this test, or their first group. */
function aRole(data: string, kind: 'user' | 'group'): string {
  const file = join(data, `role-${kind}.yaml`);
  const name = kind === 'user' ? userInfo().username : execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
  writeFileSync(file, `audit:\n  reveal:\n    privacy-officer: ['${kind}:${name}']\n`);
  return file;
}

void t.test('a cell is never a formula, and reads back as it was', async (t) => {
  const cells = ['=1+1', '+12', '-3', '@SUM(A1)', '\t=x', '\r=x', 'a "quoted", one', 'two\nlines', 'plain', ''];
  const [row] = parse(csvLine(cells)) as string[][];
  t.same(
    row,
    cells.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)),
  );
  t.same(['+12025550177', '2025550177', '2101', 'Jane Doe', '1'].map(masked), ['…77', '…77', '2101', '…', '1']);
});

void t.test('names on a page are text, whatever they are', async (t) => {
  const evil = '<script>alert(1)</script>"&';
  const page = { title: evil, note: evil, sections: [{ heading: evil, note: evil, head: [evil], rows: [[evil]] }] };
  const html = htmlOf(page, [[evil, evil]]);
  t.notMatch(html, /<script/);
  t.equal(html.split('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;').length - 1, 9);
});

void t.test('old entries are cut off; what is left stays provable, and cutting more is found', async (t) => {
  const { data, store } = await aHouse(t.testdir({}), aFortnight());
  const audit = (...args: string[]) => warmCli(['audit', ...args, '--data', data]);
  const before = new Date(plusMs(noon, -13 * DAY_MS)).toISOString();
  t.match(await audit('prune', '--before', before), { code: 2, err: /kept for 2192 days/ });
  t.match(await audit('prune'), { code: 0, out: /Nothing is that old/ });
  const more = ['--set', 'audit.retentionDays=1'];
  const dry = await warmCli(['audit', 'prune', '--dry-run', '--json', '--before', before, ...more, '--data', data]);
  t.equal(dry.code, 0, dry.err);
  const { last } = JSON.parse(dry.out) as { last: number };
  t.ok(last > 50);
  const count = () => {
    const sqlite = new Database(store, { readonly: true });
    const rows = sqlite.prepare('select min(seq) as first, count(*) as entries from audit_entries').get();
    sqlite.close();
    return rows as { first: number; entries: number };
  };
  const whole = count();
  t.equal(whole.first, 1, 'a dry run leaves everything');
  const cut = await warmCli(['audit', 'prune', '--before', before, ...more, '--data', data]);
  t.equal(cut.code, 0, cut.err + cut.out);
  t.same(count(), { first: last + 1, entries: whole.entries - last + 1 }, 'one entry came: that it was done');
  t.match(await audit('verify'), { code: 0 });
  const jsonl = join(data, 'rest.jsonl');
  t.equal((await audit('export', '--out', jsonl)).code, 0);

  const kept = join(data, 'kept');
  const sqlite = new Database(store);
  sqlite.pragma('wal_checkpoint(TRUNCATE)');
  sqlite.close();
  copyFileSync(store, kept);
  const harmed = async (sql: string) => {
    copyFileSync(kept, store);
    const db = new Database(store);
    db.exec(sql);
    db.close();
    return audit('verify');
  };
  t.match(await harmed(`delete from audit_entries where seq = ${last + 1}`), {
    code: 1,
    out: new RegExp(`entry ${last + 1} is missing`),
  });
  t.match(await harmed(`update audit_entries set body = replace(body, '"at"', '"At"') where seq = ${last + 1}`), {
    code: 1,
    out: new RegExp(`entry ${last + 1} `),
  });
  copyFileSync(kept, store);
  const receipts = join(data, 'audit.receipts');
  const receipt = readFileSync(receipts, 'utf8');
  writeFileSync(receipts, receipt.replace(/"to":\d+/, `"to":${last + 5}`));
  t.match(
    await harmed(`delete from audit_entries where seq <= ${last + 5}`),
    { code: 1 },
    'a receipt cannot be altered',
  );
  writeFileSync(receipts, receipt);
  copyFileSync(kept, store);
  t.match(await audit('verify'), { code: 0 });
  t.ok(existsSync(jsonl));
});

void t.test('calls are found by whoever and whatever had to do with them, page by page', async (t) => {
  const entries = aFortnight();
  const { data, store } = await aHouse(t.testdir({}), entries);
  const search = async (...args: string[]) => {
    const { out, err } = await warmCli(['audit', 'search', '--json', '--data', data, ...args]);
    t.equal(err, '');
    return JSON.parse(out) as { found: { callId: string | null; says: string; ending: string }[]; next: string | null };
  };
  const callsWith = (is: (fact: AuditEntry['fact']) => boolean) =>
    new Set(entries.filter(({ fact }) => is(fact)).map(({ callId }) => callId));
  const all = await search('--limit', '500');
  t.equal(all.found.length, 70);
  const ids = async (...args: string[]) =>
    new Set((await search('--limit', '500', ...args)).found.map(({ callId }) => callId));
  t.same(
    await ids('--person', 'ames'),
    callsWith((fact) => 'person' in fact && fact.person === 'ames'),
  );
  t.same(
    await ids('--ending', 'callerHungUp'),
    callsWith((fact) => fact.fact === 'ended' && fact.cause === 'callerHungUp'),
  );
  const outside = callsWith((fact) => fact.fact === 'arrived' && fact.number !== null);
  t.same(await ids('--number', NUMBER), outside);
  t.same(await ids('--number', '(202) 555-0177'), outside, 'however it is written');
  t.same(await ids('--number', '2025550178'), new Set());
  t.same(await ids('--number', NUMBER, '--person', 'nobody'), new Set(), 'all of it must be true');
  const recorded = entries.map(({ fact }) => fact).find((fact) => fact.fact === 'recordingStarted');
  const mailbox = recorded?.fact === 'recordingStarted' ? recorded.mailbox : '';
  t.ok(mailbox);
  t.same(
    await ids('--mailbox', mailbox),
    callsWith((fact) => fact.fact === 'recordingStarted' && fact.mailbox === mailbox),
  );
  const from = plusMs(noon, -15 * DAY_MS);
  const late = callsWith((fact) => fact.fact === 'arrived');
  for (const { callId, at, fact } of entries) if (fact.fact === 'arrived' && at < from) late.delete(callId);
  t.same(await ids('--from', new Date(from).toISOString()), late);

  const paged: (string | null)[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const page: Awaited<ReturnType<typeof search>> = await search(
      '--limit',
      '9',
      ...(next === '' ? [] : ['--after', next]),
    );
    paged.push(...page.found.map(({ callId }) => callId));
    next = page.next;
  }
  t.same(
    paged,
    all.found.map(({ callId }) => callId),
  );
  t.notMatch(JSON.stringify(all), /2025550177/);
  t.match(
    JSON.stringify(
      (await search('--reveal', '--reason', 'complaint 77', '--config', aRole(data, 'user'), '--number', NUMBER)).found,
    ),
    /2025550177/,
  );
  t.notMatch(readFileSync(store, 'latin1'), /2025550177/);
  const plan = new Database(store, { readonly: true })
    .prepare("explain query plan select seq from audit_terms where term = 'x' and at >= 1 order by at desc limit 5")
    .all() as { detail: string }[];
  t.match(plan[0]?.detail, /USING (COVERING )?INDEX audit_terms_time/);
});

void t.test('time that nobody accounts for is told at the next start', async (t) => {
  const dir = t.testdir({ killed: {}, stopped: {} });
  const started = { at: instant(1000), callId: null, fact: { fact: 'started', version: '1', node: 'v24' } } as const;
  const byHand = {
    at: instant(3000),
    callId: null,
    fact: { fact: 'phoneAdded', extension: '2101', by: 'root' },
  } as const;
  const found = async (name: string, last: AuditEntry) => {
    const { store } = await aHouse(join(dir, name), [started, last, byHand]);
    const opened = await openStore(store, { as: 'reader' });
    const lost = await lostTime(opened.chain, 60_000);
    await opened.close();
    return lost;
  };
  const inACall = { at: instant(2000), callId: 'CALL-1' as CallId, fact: { fact: 'bridged', leg: '1' } } as const;
  t.same(await found('killed', inACall), {
    fact: 'timeLost',
    from: '1970-01-01T00:00:02.000Z',
    until: '1970-01-01T00:01:00.000Z',
  });
  t.equal(await found('stopped', { ...inACall, callId: null, fact: { fact: 'stopped', because: 'told to' } }), null);
});

void t.test('the page of facts is the one of this vocabulary', async (t) => {
  t.equal(readFileSync('docs/reference/audit-facts.md', 'utf8'), factsReference(), 'run npm run docs');
});
