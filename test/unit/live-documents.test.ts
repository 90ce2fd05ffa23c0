import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { PersonId, ServiceId, ShiftOverride } from '../../src/core/oncall/index.ts';
import { instant } from '../../src/core/time/index.ts';
import {
  type DocumentProblem,
  documentsOptions,
  DocumentReader,
  LiveDocuments,
  loadDocuments,
  showProblem,
} from '../../src/documents/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import type { Clock, DocumentVersion, Overrides } from '../../src/engine/ports.ts';
import { Notices } from '../support/notices.ts';
import { until } from '../support/processes.ts';

const PROMPTS = new Set(
  ['dialplans/lakeside.yaml']
    .flatMap((file) => [
      ...readFileSync(file, 'utf8').matchAll(/(?:say|greeting|wrong-key|no-key|name-prompt): ([a-z0-9-]+)/g),
    ])
    .map((match) => match[1]!)
    .concat('number-not-in-service'),
);
const CARDIOLOGY = 'cardiology' as ServiceId;

// Starting a thread takes a while: one for all.
const reader = new DocumentReader({ prompts: PROMPTS, clock: systemClock });
t.teardown(() => reader.close());

class Versions {
  saved: DocumentVersion[] = [];

  async save(version: DocumentVersion): Promise<void> {
    this.saved.push(version);
  }

  lastGood(): DocumentVersion | null {
    return this.saved.at(-1) ?? null;
  }
}

/** Real time for the timers, a date that the test sets. */
class TestClock implements Clock {
  date = Date.UTC(2026, 10, 20, 12);

  now() {
    return instant(this.date);
  }

  monotonicMs() {
    return performance.now();
  }

  after(ms: number, run: () => void) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  }
}

function aHospital(t: Test) {
  const root = t.testdir({ dialplans: {}, oncall: {} });
  const folders = { dialplans: path.join(root, 'dialplans'), oncall: path.join(root, 'oncall') };
  for (const kind of ['dialplans', 'oncall'] as const) {
    copyFileSync(`${kind}/lakeside.yaml`, path.join(folders[kind], 'lakeside.yaml'));
  }
  return {
    folders,
    roster: path.join(folders.oncall, 'lakeside.yaml'),
    plan: path.join(folders.dialplans, 'lakeside.yaml'),
    edit: (file: string, from: string, to: string) => {
      const text = readFileSync(file, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      return text.replace(from, to);
    },
  };
}

const NO_OVERRIDES: Overrides = { revision: () => 0, list: () => [] };

function live(
  t: Test,
  folders: { dialplans: string; oncall: string },
  versions = new Versions(),
  pollMs = 100,
  overrides = NO_OVERRIDES,
) {
  const notices = new Notices();
  const clock = new TestClock();
  const proofs: string[][] = [];
  const documents = new LiveDocuments({
    options: documentsOptions.parse({ ...folders, pollMs }),
    reader,
    versions,
    overrides,
    feeds: { revision: () => 0, documents: () => [] },
    clock,
    onActivated: (_version, changed) => notices.add(`activated ${changed.join(' ')}`),
    onRefused: (problems: readonly DocumentProblem[]) => notices.add(`refused ${problems.map(showProblem).join('|')}`),
    onProved: (faults) => proofs.push(faults.map(showProblem)),
    onUnsaved: (error) => notices.add(`unsaved ${(error as Error).message}`),
    onOverridesUnread: (error) => notices.add(`unread ${(error as Error).message}`),
    onClockImplausible: (now) => notices.add(`clock ${new Date(now).getUTCFullYear()}`),
  });
  t.teardown(() => documents.close());
  return { documents, notices, versions, clock, proofs };
}

void t.test('a roster edited while running is in force for new calls; running calls keep theirs', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices, versions } = live(t, hospital.folders);
  t.same(await documents.start(), { kind: 'started', from: 'files' });
  t.equal(await notices.next(), 'activated plan roster');
  const before = documents.current();
  const primary = () => {
    const at = instant(Date.UTC(2026, 10, 22, 12));
    const result = documents.current().roster.whoIsOnCall(CARDIOLOGY, 'primary', at);
    return result.kind === 'onCall' ? result.answer.person.name : result.kind;
  };
  t.equal(primary(), 'Dr Bell');

  writeFileSync(hospital.roster, hospital.edit(hospital.roster, '[dr-ames, dr-bell]', '[dr-bell, dr-ames]'));
  t.equal(await notices.next(), 'activated roster');
  t.equal(primary(), 'Dr Ames');
  t.not(documents.current().roster, before.roster);
  t.not(documents.current().roster.version, before.roster.version);
  t.equal(documents.current().plan.version, before.plan.version);
  t.same(
    versions.saved.map(({ roster }) => roster),
    [before.roster.version, documents.current().roster.version],
  );
});

void t.test('a broken file is refused with its place, and the last good version stays in force', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices } = live(t, hospital.folders);
  await documents.start();
  await notices.next();
  const before = documents.current();

  const good = readFileSync(hospital.plan, 'utf8');
  const line = good.split('\n').findIndex((text) => text.includes('7012:')) + 1;
  writeFileSync(
    hospital.plan,
    hospital.edit(
      hospital.plan,
      '7012: { from: inside, escalate: { service: cardiology',
      '7012: { from: inside, escalate: { service: cardiolgy',
    ),
  );
  t.equal(
    await notices.next(),
    `refused ${hospital.plan}:${line}:46: unknown service "cardiolgy"; did you mean "cardiology"? (use one of: cardiology, neurology)`,
  );
  t.equal(documents.current(), before, 'the same version is in force');

  writeFileSync(hospital.plan, good);
  t.equal(await notices.next(), 'activated ', 'the author hears that all is well again');
  t.equal(documents.current().plan.version, before.plan.version);

  writeFileSync(hospital.plan, good.replace('Ward 4B', 'Ward 4C'));
  t.equal(await notices.next(), 'activated plan');
  t.equal(documents.current().plan.extension('2101')?.name, 'Ward 4C');
});

void t.test('one department changes while another is broken: the good files come into force', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices } = live(t, hospital.folders);
  const eye = path.join(hospital.folders.dialplans, 'eye.yaml');
  const eyeText =
    'mailboxes:\n  eye: { name: Eye clinic }\nroutes:\n  8010: { from: inside, voicemail: { mailbox: eye } }\n';
  writeFileSync(eye, eyeText);
  await documents.start();
  await notices.next();
  const before = documents.current();

  writeFileSync(eye, eyeText.replace('mailbox: eye', 'mailbox: aye'));
  t.match(await notices.next(), /^refused .*eye\.yaml:4:.*unknown mailbox "aye"/);
  t.equal(documents.current(), before, 'what is broken alone changes nothing');

  writeFileSync(hospital.plan, hospital.edit(hospital.plan, 'Ward 4B', 'Ward 4C'));
  t.equal(await notices.next(), 'activated plan');
  t.match(await notices.next(), /^refused .*eye\.yaml:4:/, 'and the author of the broken one hears it still');
  t.equal(documents.current().plan.extension('2101')?.name, 'Ward 4C');
  t.match(documents.current().plan.route('8010', 'inside')?.to, { mailbox: 'eye' }, 'as it was');

  writeFileSync(hospital.roster, hospital.edit(hospital.roster, 'name: Dr Chen', 'name: Dr Cheng'));
  t.equal(await notices.next(), 'activated roster', 'a broken plan keeps nobody from a change of the roster');
  t.match(await notices.next(), /^refused /);

  writeFileSync(eye, eyeText.replace('8010', '8011'));
  t.equal(await notices.next(), 'activated plan');
  t.equal(documents.current().plan.route('8010', 'inside'), undefined);
});

void t.test('editors that write beside and rename, files that come and go', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices } = live(t, hospital.folders);
  await documents.start();
  await notices.next();

  writeFileSync(`${hospital.plan}.swp`, 'not: [yaml');
  writeFileSync(path.join(hospital.folders.dialplans, '.lakeside.yaml.tmp'), 'not: [yaml');
  const renamed = path.join(hospital.folders.dialplans, '.new');
  writeFileSync(renamed, hospital.edit(hospital.plan, 'Ward 4B', 'Ward 5'));
  renameSync(renamed, hospital.plan);
  t.equal(await notices.next(), 'activated plan');
  t.equal(documents.current().plan.extension('2101')?.name, 'Ward 5');

  const second = path.join(hospital.folders.oncall, 'extra.yaml');
  writeFileSync(second, 'people:\n  dr-fox: { name: Dr Fox, mobile: "+12025550131" }\n');
  t.equal(await notices.next(), 'activated roster');
  t.equal(documents.current().roster.people().length, 8);
  rmSync(second);
  t.equal(await notices.next(), 'activated roster');
  t.equal(documents.current().roster.people().length, 7);
  t.same(notices.waiting, []);
});

void t.test('a file that is written in pieces is checked when it is whole', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices, clock } = live(t, hospital.folders, new Versions(), 60_000);
  const settling: { run: () => void; isCancelled: boolean }[] = [];
  const notice = new Notices();
  const soon = clock.after.bind(clock);
  clock.after = (ms, run) => {
    // Shorter ones lay shifts out ahead and prove.
    if (ms < 100) return soon(ms, run);
    const timer = { run, isCancelled: false };
    if (ms < 60_000) {
      settling.push(timer);
      notice.add('waits');
    }
    return { cancel: () => (timer.isCancelled = true) };
  };
  // Watching alone does not keep a process running.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  await documents.start();
  await notices.next();
  const text = hospital.edit(hospital.plan, 'Ward 4B', 'Ward 6');
  writeFileSync(hospital.plan, text.slice(0, 1_000));
  await notice.next();
  while (notice.waiting.length > 0) await notice.next();
  const [early] = settling.splice(0).slice(-1);
  t.equal(early?.isCancelled, false);

  writeFileSync(hospital.plan, text.slice(1_000), { flag: 'a' });
  await notice.next();
  t.equal(early?.isCancelled, true, 'the second piece puts the check off');
  settling.at(-1)!.run();
  t.equal(await notices.next(), 'activated plan');
  t.equal(documents.current().plan.extension('2101')?.name, 'Ward 6');
});

void t.test('a folder that is put in place of the watched one is seen by the poll', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices } = live(t, hospital.folders);
  await documents.start();
  await notices.next();
  const text = hospital.edit(hospital.roster, 'name: Dr Chen', 'name: Dr Cheng');
  const fresh = `${hospital.folders.oncall}.new`;
  mkdirSync(fresh);
  writeFileSync(path.join(fresh, 'lakeside.yaml'), text);
  renameSync(hospital.folders.oncall, `${hospital.folders.oncall}.old`);
  renameSync(fresh, hospital.folders.oncall);
  let notice = await notices.next();
  // Between the two renames the folder was gone; whether that was seen depends on the second it was looked at.
  if (notice.startsWith('refused')) {
    t.match(notice, /the folder cannot be read: ENOENT/);
    notice = await notices.next();
  }
  t.equal(notice, 'activated roster');
  t.equal(documents.current().roster.personByDesk('3103')?.name, 'Dr Cheng');
});

void t.test('broken files at the start: the version that was good last starts the house', async (t) => {
  const hospital = aHospital(t);
  const first = live(t, hospital.folders);
  await first.documents.start();
  await first.documents.close();
  const good = readFileSync(hospital.roster, 'utf8');
  writeFileSync(hospital.roster, 'zone: [');

  const nothingBefore = live(t, hospital.folders);
  t.match(await nothingBefore.documents.start(), { kind: 'refused', problems: [{ file: hospital.roster, line: 1 }] });
  t.throws(() => nothingBefore.documents.current(), /no documents are in force/);

  const second = live(t, hospital.folders, first.versions);
  t.match(await second.documents.start(), { kind: 'started', from: 'lastGood', problems: [{ file: hospital.roster }] });
  t.match(await second.notices.next(), /^refused .*lakeside\.yaml:1:/);
  t.equal(second.documents.current().roster.version, first.documents.current().roster.version);
  writeFileSync(hospital.roster, good.replace('Dr Chen', 'Dr Cheng'));
  t.equal(await second.notices.next(), 'activated roster');
});

void t.test('the roster is laid out again every day, and never by a clock that cannot be right', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices, clock } = live(t, hospital.folders, new Versions(), 50);
  await documents.start();
  await notices.next();
  const { roster } = documents.current();
  const changed = async () => {
    const before = documents.current().roster;
    while (documents.current().roster === before) await new Promise((resolve) => setTimeout(resolve, 20));
    return documents.current().roster;
  };
  clock.date += 25 * 3_600_000;
  const next = await changed();
  t.equal(next.window.to - roster.window.to, 25 * 3_600_000);
  t.equal(next.version, roster.version);
  clock.date = 0;
  t.equal(await notices.next(), 'clock 1970');
  t.match(documents.current().roster.whoIsOnCall(CARDIOLOGY, 'primary', clock.now()), { kind: 'outsideWindow' });
  clock.date = Date.UTC(2038, 5, 1);
  await changed();
  t.match(documents.current().roster.whoIsOnCall(CARDIOLOGY, 'primary', clock.now()), { kind: 'onCall' });
  t.same(notices.waiting, [], 'the version is the same: nothing was activated');
});

void t.test('folders and files that cannot be documents', async (t) => {
  const { folders } = aHospital(t);
  const load = async (dialplans: string, oncall: string) => {
    const result = await loadDocuments({ dialplans, oncall, prompts: PROMPTS, now: instant(Date.UTC(2026, 10, 20)) });
    return result.kind === 'ok' ? [] : result.problems.map(showProblem);
  };
  t.same(await load(folders.dialplans, folders.oncall), []);
  const root = path.dirname(folders.oncall);
  t.same(await load(folders.dialplans, `${root}/none`), [
    `${root}/none:1:1: the folder cannot be read: ENOENT (create it, or name another one in the configuration)`,
  ]);
  await mkdir(`${root}/empty`);
  t.same(await load(`${root}/empty`, folders.oncall), [
    `${root}/empty:1:1: there is no document in it (add a .yaml file)`,
  ]);
  await mkdir(`${root}/bad`);
  writeFileSync(`${root}/bad/big.yaml`, '#'.repeat(1_048_577));
  writeFileSync(`${root}/bad/huge.yaml`, 'routes:\n'.repeat(1_250_000));
  writeFileSync(`${root}/bad/latin.yaml`, Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  await mkdir(`${root}/bad/folder.yaml`);
  t.same(await load(folders.dialplans, `${root}/bad`), [
    `${root}/bad/big.yaml:1:1: the file is over 1 MB (split it into several files)`,
    `${root}/bad/folder.yaml:1:1: this is not a file (remove it, or rename it)`,
    `${root}/bad/huge.yaml:1:1: the file is over 1 MB (split it into several files)`,
    `${root}/bad/latin.yaml:1:1: the file is not UTF-8 text (save it as UTF-8)`,
  ]);
  await mkdir(`${root}/linked`);
  writeFileSync(`${root}/control.secret`, 'hunter2hunter2\n');
  symlinkSync(`${root}/control.secret`, `${root}/linked/out.yaml`);
  execFileSync('mkfifo', [`${root}/linked/pipe.yaml`]);
  symlinkSync('gone', `${root}/linked/dangling.yaml`);
  t.same(await load(folders.dialplans, `${root}/linked`), [
    `${root}/linked/dangling.yaml:1:1: the file cannot be read: ENOENT (check its owner and its mode)`,
    `${root}/linked/out.yaml:1:1: the file is a link that leads out of the folder (copy the document into the folder)`,
    `${root}/linked/pipe.yaml:1:1: this is not a file (remove it, or rename it)`,
  ]);
  await mkdir(`${root}/mounted/..data`, { recursive: true });
  renameSync(folders.oncall, `${root}/mounted/..data/1`);
  symlinkSync('..data/1/lakeside.yaml', `${root}/mounted/lakeside.yaml`);
  symlinkSync('mounted', folders.oncall);
  t.same(await load(folders.dialplans, folders.oncall), [], 'a link to a folder, and links inside it');
  await mkdir(`${root}/many`);
  for (let i = 0; i <= 200; i++) writeFileSync(`${root}/many/${i}.yaml`, 'zone: UTC\n');
  t.match(await load(folders.dialplans, `${root}/many`), [/201 files \(use at most 200\)/]);
});

void t.test(
  'a version that cannot be kept does not come into force, harms nothing, and comes when it can',
  async (t) => {
    const { folders, roster, edit } = aHospital(t);
    class FullDisk extends Versions {
      isFull = false;
      override async save(version: DocumentVersion): Promise<void> {
        if (this.isFull) throw new Error('no space left');
        await super.save(version);
      }
    }
    const versions = new FullDisk();
    const { documents, notices } = live(t, folders, versions, 50);
    await documents.start();
    await notices.next();
    const before = documents.current();
    versions.isFull = true;
    writeFileSync(roster, edit(roster, 'Dr Ames', 'Dr Amos'));
    t.equal(await notices.next(), 'unsaved no space left');
    t.equal(documents.current().roster, before.roster);
    versions.isFull = false;
    t.equal(await notices.next(), 'activated roster', 'told once that it could not, then that it is');
    t.not(documents.current().roster, before.roster);
  },
);

void t.test('names that every object has are names like any other', async (t) => {
  const { folders, plan, edit } = aHospital(t);
  const load = () =>
    loadDocuments({ ...folders, prompts: PROMPTS, now: instant(Date.UTC(2026, 10, 20)), window: rosterWindow });
  const rosterWindow = { from: instant(Date.UTC(2026, 10, 19)), to: instant(Date.UTC(2026, 10, 22)) };
  const good = readFileSync(plan, 'utf8');
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    writeFileSync(plan, edit(plan, '{ run: office-voicemail }', `{ run: ${name} }`));
    const refused = await load();
    const says = refused.kind === 'refused' ? refused.problems.map(showProblem).join() : 'accepted';
    t.match(says, new RegExp(`lakeside\\.yaml:\\d+:\\d+: .*"${name}"`));
    writeFileSync(plan, good);
  }
  writeFileSync(plan, good.replaceAll('office-voicemail', 'constructor'));
  t.match(await load(), { kind: 'ok' }, 'a flow may be called so');
});

void t.test('a mistake of ours while documents are checked refuses them, and ends nothing', async (t) => {
  const { folders } = aHospital(t);
  const prompts = new Proxy(PROMPTS, {
    get() {
      throw new TypeError('cannot read properties of undefined');
    },
  });
  const refused = await loadDocuments({ ...folders, prompts, now: instant(Date.UTC(2026, 10, 20)) });
  t.match(refused, {
    kind: 'refused',
    problems: [{ reason: /could not be checked: cannot read/, remedy: /mistake in Wardline/ }],
  });
});

void t.test(
  'an override counts for new look-ups within a second, also of calls that go on under an older version',
  async (t) => {
    const hospital = aHospital(t);
    const made = Date.UTC(2026, 10, 22, 12);
    const rows: ShiftOverride[] = [];
    let fault: Error | null = null;
    const overrides: Overrides = {
      revision: () => {
        if (fault !== null) throw fault;
        return rows.length;
      },
      list: () => [...rows],
    };
    const { documents, notices } = live(t, hospital.folders, new Versions(), 100, overrides);
    await documents.start();
    t.equal(await notices.next(), 'activated plan roster');
    const ofTheCall = documents.current().roster;
    const primary = (roster = documents.current().roster) => {
      const result = roster.whoIsOnCall(CARDIOLOGY, 'primary', instant(made + 60_000));
      return result.kind === 'onCall' ? result.answer.person.name : result.kind;
    };
    const until = async (name: string) => {
      while (primary() !== name) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    t.equal(primary(), 'Dr Bell');
    t.equal(documents.upToDate(ofTheCall), ofTheCall);
    const chen = 'dr-chen' as PersonId;
    const span = { from: instant(made), to: instant(made + 3_600_000) };
    const signed = {
      author: 'R. Okafor',
      reason: 'ill',
      madeAt: span.from,
      acceptedAt: span.from,
      acceptedBy: 'R. Okafor',
    };
    const open = { swap: null, endedAt: null, endedBy: null, endedFor: null };
    rows.push({
      id: 1,
      kind: 'take',
      service: CARDIOLOGY,
      tier: 'primary',
      ...span,
      out: null,
      in: chen,
      ...signed,
      ...open,
    });
    await until('Dr Chen');
    t.equal(primary(documents.upToDate(ofTheCall)), 'Dr Chen', 'a call that goes on finds whoever took over');

    writeFileSync(hospital.roster, hospital.edit(hospital.roster, '[dr-ames, dr-bell]', '[dr-bell, dr-ames]'));
    t.equal(await notices.next(), 'activated roster');
    t.equal(primary(), 'Dr Chen', 'a new version keeps the overrides');
    fault = new Error('disk');
    t.equal(await notices.next(), 'unread disk');
    t.equal(primary(), 'Dr Chen', 'what was known stays');
    fault = null;
    rows[0] = { ...rows[0]!, endedAt: instant(made + 1), endedBy: 'Dr Chen' };
    rows.push({ ...rows[0]!, id: 2, service: 'neurology' as ServiceId });
    await until('Dr Ames');
    t.equal(primary(documents.upToDate(ofTheCall)), 'Dr Bell', 'by the version of the call');
    t.equal(documents.upToDate(ofTheCall), documents.upToDate(ofTheCall), 'made once');
  },
);

void t.test('an edit that would leave a call without a human is refused with a counter-example', async (t) => {
  const hospital = aHospital(t);
  const { documents, notices, proofs } = live(t, hospital.folders);
  await documents.start();
  await notices.next();
  const before = documents.current();
  const good = readFileSync(hospital.roster, 'utf8');
  const line = good.split('\n').findIndex((text) => text.startsWith('  neurology:')) + 4;

  writeFileSync(
    hospital.roster,
    good.replace(
      'since: 2026-01-05 }\n    backup:\n      - { rotation: [dr-evans',
      'since: 2027-01-05 }\n    backup:\n      - { rotation: [dr-evans',
    ),
  );
  const refused = await notices.next();
  t.match(refused, new RegExp(`^refused ${hospital.roster}:${line}:5: nobody is primary of neurology`));
  t.match(refused, /for example 2026-11-20 06:00 \(America\/Chicago\) Ward 4B dials 70/);
  t.match(refused, /look: wardline plan simulate --from 2101 --to 702\d --at 2026-11-20T12:00:00\.000Z/);
  t.equal(documents.current(), before, 'the same version is in force');

  writeFileSync(hospital.roster, good);
  t.equal(await notices.next(), 'activated ');
  t.same(await until('proved', () => proofs[0]), [], 'what is in force is proved');
});

void t.test('what is wrong already may stay while something else is changed, and is told', async (t) => {
  const hospital = aHospital(t);
  writeFileSync(
    hospital.plan,
    hospital.edit(hospital.plan, '{ name: Neurology, claimed-by: 1000 }', '{ name: Neurology }'),
  );
  const { documents, notices, proofs } = live(t, hospital.folders);
  t.same(await documents.start(), { kind: 'started', from: 'files' }, 'a house without a last good version starts');
  await notices.next();
  writeFileSync(hospital.plan, hospital.edit(hospital.plan, 'Ward 4B', 'Ward 7'));
  t.equal(await notices.next(), 'activated plan');
  writeFileSync(
    hospital.plan,
    hospital.edit(
      hospital.plan,
      '{ name: Cardiology, claimed-by: 1000, number: 3910 }',
      '{ name: Cardiology, number: 3910 }',
    ),
  );
  t.match(await notices.next(), /^refused (?!.*neurology).*can end in the mailbox cardiology/);
  t.match(await until('told what is wrong', () => proofs[0]), [
    /can end in the mailbox neurology/,
    /can end in the mailbox neurology/,
  ]);
});

void t.test(
  'edited while the house was down, and no call may be left alone by that: it starts with what was good',
  async (t) => {
    const hospital = aHospital(t);
    const first = live(t, hospital.folders);
    await first.documents.start();
    await first.documents.close();
    writeFileSync(
      hospital.roster,
      hospital.edit(hospital.roster, 'since: 2026-01-05 }\n    backup: #', 'since: 2027-01-04 }\n    backup: #'),
    );
    const second = live(t, hospital.folders, first.versions);
    t.match(await second.documents.start(), { kind: 'started', from: 'lastGood' });
    t.match(await second.notices.next(), /^refused .*nobody is primary of cardiology/);
    t.equal(second.documents.current().roster.version, first.documents.current().roster.version);
  },
);
