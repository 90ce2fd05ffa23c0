import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  compilePlan,
  layingPlan,
  type PatternTables,
  type PlanSource,
  setsTaken,
} from '../../src/core/dialplan/index.ts';
import {
  compileRoster,
  compilingRoster,
  indexRoster,
  packPeople,
  peopleBook,
  type Person,
  type PersonId,
  Problems,
} from '../../src/core/oncall/index.ts';
import { inOneGo, STEP_ITEMS, type Work } from '../../src/core/steps/index.ts';
import { instant } from '../../src/core/time/index.ts';
import {
  compileFiles,
  type DocumentFile,
  type DocumentProblem,
  DocumentReader,
  documentsOptions,
  LiveDocuments,
  showProblem,
} from '../../src/documents/index.ts';
import { compilingSource } from '../../src/documents/document-reader.ts';
import { mergeSection } from '../../src/documents/merge.ts';
import { Assembly, inPieces, PIECE_VALUES } from '../../src/documents/pieces.ts';
import { systemClock } from '../../src/engine/index.ts';
import type { DocumentVersion } from '../../src/engine/ports.ts';
import { houseFiles, peopleFiles, sourcesOf } from '../bench/activation-house.ts';
import { Notices } from '../support/notices.ts';
import { told } from '../support/told.ts';

// However big or ill meant a document is, calls go on: what the app does with it comes in small pieces.

const PROMPTS = new Set(['number-not-in-service']);
const now = instant(Date.UTC(2026, 10, 20));
const window = { from: instant(Date.UTC(2026, 10, 13)), to: instant(Date.UTC(2026, 11, 24)) };

/** A whole number of steps, and what came out. */
function counted<T>(work: Work<T>): { readonly steps: number; readonly result: T } {
  for (let steps = 1; ; steps++) {
    const next = work.next();
    if (next.done) return { steps, result: next.value };
  }
}

void t.test('anything goes over in pieces of bounded size, and is the same on the other side', async (t) => {
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium', maxDepth: 6 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(null, undefined),
      fc.array(tie('value'), { maxLength: 8 }),
      fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 40, noNullPrototype: true },
      ),
    ),
  })).value;
  fc.assert(
    fc.property(anything, (value) => {
      const assembly = new Assembly();
      for (const piece of inPieces(value)) assembly.take(structuredClone(piece));
      t.same(assembly.whole(), value);
    }),
    { numRuns: 300 },
  );
  const shared = { id: 'stat' };
  const large = {
    routes: Array.from({ length: 5_000 }, (_, i) => ({ number: String(i), to: shared })),
    cases: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`case-${i}`, { verb: 'run', flow: `f${i}` }])),
  };
  const pieces = [...inPieces(large)];
  for (const { signs, scalars } of pieces) {
    // The last of a piece may be a list with its length.
    t.ok(signs.length <= PIECE_VALUES + 1 && scalars.length <= PIECE_VALUES, `${signs.length} signs`);
  }
  t.ok(pieces.length > 20, `${pieces.length} pieces`);
  const assembly = new Assembly();
  for (const piece of pieces) assembly.take(structuredClone(piece));
  const whole = assembly.whole() as typeof large;
  t.same(whole, large);
  t.equal(whole.routes[0]!.to, whole.routes[4_999]!.to, 'what was shared is shared');
});

void t.test('people stand in their book as they were written', async (t) => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/), { maxLength: 400 });
  const told = fc.record({ name: fc.string(), desk: fc.option(fc.nat(9_999), { nil: undefined }), role: fc.string() });
  fc.assert(
    fc.property(names, fc.array(told, { minLength: 400, maxLength: 400 }), (ids, all) => {
      const people = ids.map((id, i): Person => {
        const { name, desk } = all[i]!;
        // Nobody shares a desk.
        return { id: id as PersonId, name, ...(desk === undefined ? {} : { desk: `${desk}${i}` }) };
      });
      const book = peopleBook(structuredClone(packPeople(people)));
      for (const person of people) {
        t.same(book.person(person.id), person);
        t.equal(book.person(person.id), book.person(person.id), 'one and the same');
        if (person.desk !== undefined) t.same(book.personByDesk(person.desk), person);
      }
      t.same(book.people(), people);
      for (const nobody of ['', 'x'.repeat(20), 'dr', '\n', 'é']) {
        if (!ids.includes(nobody)) t.equal(book.person(nobody as PersonId), undefined);
        t.equal(book.personByDesk(nobody), undefined);
      }
    }),
    { numRuns: 30 },
  );
});

void t.test('no step of laying out plan and roster does more than a bounded amount', async (t) => {
  const size = { people: 6_000, services: 3_000 };
  const { roster, plan } = sourcesOf(size);
  const flows = Object.fromEntries(
    Array.from({ length: 2_000 }, (_, i) => [
      `f${i}`,
      { verb: 'voicemail', mailbox: 'office', urgent: false, greeting: [] } as const,
    ]),
  );
  const callers = [{ id: 'known', numbers: Array.from({ length: 3_000 }, (_, i) => `+1202555${1000 + i}`) }];
  const touched = { count: 0, most: 0 };
  const step = () => {
    touched.most = Math.max(touched.most, touched.count);
    touched.count = 0;
  };
  const watched = <T>(all: readonly T[]): readonly T[] =>
    new Proxy(all, {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^[0-9]+$/.test(key)) touched.count += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
  const tables: PatternTables[] = [];
  const source: PlanSource = { ...plan, flows, callers };
  t.equal(compilePlan(source, indexRoster(roster), PROMPTS, (made) => tables.push(made)).kind, 'compiled');

  const routes = watched(source.routes);
  const compiling = compilingRoster(
    { ...roster, people: [], services: watched(roster.services) },
    packPeople(roster.people),
    window,
  );
  const rosters = counted(steps(compiling, step));
  const laidWith = { makeSet: setsTaken(tables), roster: rosters.result };
  const plans = counted(steps(layingPlan({ ...source, routes, callers }, laidWith), step));
  // Each entry is looked at a few times in its step: as a route, by its number, as a verb.
  t.ok(touched.most > 0 && touched.most <= 3 * STEP_ITEMS, `${touched.most} in a step`);
  t.ok(plans.steps >= (size.services + 2_000 + 3_000) / STEP_ITEMS, `${plans.steps} steps`);
  t.ok(rosters.steps >= (2 * size.services) / STEP_ITEMS, `${rosters.steps} steps`);
  const usual = compileRoster(roster, window);
  for (const i of [0, 1, 2_999]) {
    const id = roster.services[i]!.id;
    t.same(told(rosters.result.whoIsOnCall(id, 'primary', now)), told(usual.whoIsOnCall(id, 'primary', now)));
    t.equal(plans.result.route(plan.routes[i]!.number, 'inside')?.number, plan.routes[i]!.number);
  }
});

function* steps<T>(work: Work<T>, step: () => void): Work<T> {
  for (;;) {
    const next = work.next();
    step();
    if (next.done) return next.value;
    yield;
  }
}

/** A house in force whose reader fails as the documents tell it to. */
async function aHouse(t: Test, limits: { readonly heapMb?: number } = {}) {
  const root = t.testdir({});
  const folders = { dialplans: join(root, 'dialplans'), oncall: join(root, 'oncall') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  for (const [name, text] of Object.entries(houseFiles(3))) writeFileSync(join(root, name), text);
  const notices = new Notices();
  const limit: { cut: () => void } = { cut: () => {} };
  const reader = new DocumentReader({
    prompts: PROMPTS,
    thread: pathToFileURL('test/support/stubborn-reader.ts'),
    limits,
    clock: {
      monotonicMs: () => systemClock.monotonicMs(),
      after: (ms, run) => {
        // That of a job runs out when the test says so.
        if (ms < 100_000) return systemClock.after(ms, run);
        limit.cut = run;
        return { cancel: () => {} };
      },
    },
  });
  const checking: string[] = [];
  const saved: DocumentVersion[] = [];
  const documents = new LiveDocuments({
    options: documentsOptions.parse({ ...folders, pollMs: 50 }),
    reader: {
      folders: (where) => reader.folders(where),
      check: (files, about) => {
        checking.push(files.map(({ text }) => text).join(''));
        notices.add('checking');
        return reader.check(files, about);
      },
      prove: (files, about) => reader.prove(files, about),
      overtake: () => reader.overtake(),
    },
    versions: { save: async (version) => void saved.push(version), lastGood: () => saved.at(-1) ?? null },
    overrides: { revision: () => 0, list: () => [] },
    feeds: { revision: () => 0, documents: () => [] },
    clock: systemClock,
    onActivated: (_version, changed) => notices.add(`activated ${changed.join(' ')}`),
    onRefused: (problems) => notices.add(`refused ${problems.map(showProblem).join('|')}`),
    onUnsaved: (error) => notices.add(`unsaved ${String(error)}`),
    onOverridesUnread: (error) => notices.add(`unread ${String(error)}`),
    onProved: () => {},
    onClockImplausible: () => {},
  });
  // Watching alone does not keep a process running.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(async () => {
    clearInterval(alive);
    await documents.close();
    await reader.close();
  });
  t.same(await documents.start(), { kind: 'started', from: 'files' });
  t.equal(await notices.next(), 'checking');
  t.equal(await notices.next(), 'activated plan roster');
  const house = readFileSync(join(folders.oncall, 'house.yaml'), 'utf8');
  const save = (name: string, more = '') => {
    writeFileSync(join(folders.oncall, 'house.yaml'), `${house.replace('Dr X', name)}${more}`);
  };
  const named = () => documents.current().roster.person('dr-x' as PersonId)?.name;
  return { documents, notices, limit, checking, save, named };
}

void t.test('a newer save overtakes an older one that is still being read', async (t) => {
  const { notices, checking, save, named } = await aHouse(t);
  save('Dr Slow', '# never\n');
  t.equal(await notices.next(), 'checking');
  t.match(checking.at(-1), /# never/);
  t.equal(named(), 'Dr X', 'calls go on with what is in force');
  save('Dr Quick');
  t.equal(await notices.next(), 'checking');
  t.equal(await notices.next(), 'activated roster');
  t.equal(named(), 'Dr Quick');
  t.same(notices.waiting, [], 'of the older one nothing is heard any more');
});

void t.test('a reader that dies, hoards or does not end is told, and what was good stays in force', async (t) => {
  const { notices, limit, save, named, documents } = await aHouse(t, { heapMb: 96 });
  const before = documents.current();
  const fails = async (how: string, says: RegExp) => {
    save('Dr Y', `# ${how}\n`);
    t.equal(await notices.next(), 'checking');
    if (how === 'never') limit.cut();
    t.match(await notices.next(), says);
    t.equal(documents.current().roster, before.roster);
  };
  await fails('dies', /^refused .*oncall:1:1: the documents could not be read: its thread ended/);
  await fails('hoards', /^refused .*could not be read: it takes more than 96 MB of memory/);
  await fails('never', /^refused .*could not be read: it takes longer than 300 s \(make them smaller/);
  save('Dr Z');
  t.equal(await notices.next(), 'checking');
  t.equal(await notices.next(), 'activated roster');
  t.equal(named(), 'Dr Z');
});

void t.test('a large plan and roster come over whole', async (t) => {
  const reader = new DocumentReader({ prompts: PROMPTS, clock: systemClock });
  t.teardown(() => reader.close());
  const files = Object.entries(peopleFiles({ people: 3_000, services: 600 })).map(([path, text]): DocumentFile => {
    return { kind: path.startsWith('oncall') ? 'roster' : 'plan', path, text };
  });
  const [read, usual] = [await reader.check(files, { now }), compileFiles(files, { prompts: PROMPTS, now, window })];
  if (read.kind !== 'good' || usual.kind !== 'ok') return void t.fail('refused');
  t.same([read.plan, read.roster], [usual.version.plan, usual.version.roster]);
  const { plan, roster } = inOneGo(compilingSource(read.source, window));
  t.same(plan.source, usual.plan.source);
  t.same(roster.services(), usual.roster.services());
  t.same(roster.people(), usual.roster.people());
  t.equal(roster.services()[0]!.chains.stat, roster.services()[599]!.chains.stat, 'chains are shared');
  for (const { id } of roster.services().slice(0, 20)) {
    t.same(told(roster.whoIsOnCall(id, 'primary', now)), told(usual.roster.whoIsOnCall(id, 'primary', now)));
  }
});

void t.test('faults are placed and guessed at a bounded number of times', async (t) => {
  const entries = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`person-${i}`, {}]));
  let places = 0;
  const file = {
    kind: 'roster',
    path: 'a.yaml',
    text: '',
    value: null,
    place: () => {
      places += 1;
      return { line: 1, column: 1 };
    },
  } as const;
  const problems: DocumentProblem[] = [];
  mergeSection(
    'people',
    [
      { file, entries },
      { file, entries },
    ],
    problems,
  );
  t.equal(problems.length, 100);
  t.ok(places <= 200, `${places} places`);

  const found = new Problems('roster');
  const known = Object.keys(entries);
  for (let i = 0; i < 100; i++) found.unknown(`at.${i}`, 'person', `persom-${i}`, known);
  t.equal(found.found()[0]!.suggestion, 'person-0');
  t.equal(found.found()[99]!.suggestion, null, 'the first ones are helped');
});
