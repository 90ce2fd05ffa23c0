import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import { dataFolders } from '../../src/cli/folders.ts';
import { houseSecrets } from '../../src/cli/house-secrets.ts';
import { DocumentReader, documentsOptions, LiveDocuments, showProblem } from '../../src/documents/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import { openStore, type Store } from '../../src/storage/index.ts';
import { Notices } from '../support/notices.ts';
import { recordedPrompts } from '../support/plan-example.ts';
import { warmCli } from '../support/warm-cli.ts';

// Draft, activate, roll back: two processes that know of each other by the store alone.

// Starting a thread takes a while: one for all.
const reader = new DocumentReader({ prompts: recordedPrompts, clock: systemClock });
t.teardown(() => reader.close());

async function aHouse(t: Test, activation: 'automatic' | 'manual') {
  const root = t.testdir({ data: {}, dialplans: {}, oncall: {} });
  const folders = { dialplans: join(root, 'dialplans'), oncall: join(root, 'oncall') };
  copyFileSync('dialplans/lakeside.yaml', join(folders.dialplans, 'lakeside.yaml'));
  copyFileSync('oncall/lakeside.yaml', join(folders.oncall, 'lakeside.yaml'));
  const data = join(root, 'data');
  await houseSecrets(dataFolders(data));
  const store = await openStore(join(data, 'wardline.db'));
  t.teardown(() => store.close());
  const eye = join(folders.dialplans, 'eye.yaml');
  const eyeSays = (name: string, mailbox = 'eye') =>
    writeFileSync(
      eye,
      `mailboxes:\n  eye: { name: ${name} }\nroutes:\n  8010: { from: inside, voicemail: { mailbox: ${mailbox} } }\n`,
    );
  eyeSays('Eye clinic');
  const settings = [`dialplans=${folders.dialplans}`, `oncall=${folders.oncall}`, `plans.activation=${activation}`];
  const plan = async (...args: string[]) => {
    const { code, out, err } = await warmCli([
      'plan',
      ...args,
      '--data',
      data,
      ...settings.flatMap((set) => ['--set', set]),
    ]);
    return { code, says: out + err };
  };
  return { folders, store, plan, eyeSays, activation, data, lakeside: join(folders.dialplans, 'lakeside.yaml') };
}

function start(t: Test, house: { folders: { dialplans: string; oncall: string }; store: Store; activation: string }) {
  const notices = new Notices();
  const { folders, store, activation } = house;
  const documents = new LiveDocuments({
    options: documentsOptions.parse({ ...folders, activation, pollMs: 50 }),
    reader,
    versions: store.documents,
    overrides: store.overrides,
    feeds: store.feeds,
    orders: store.plans,
    clock: systemClock,
    onActivated: (_version, changed) => notices.add(`activated ${changed.join(' ')}`),
    onRefused: (problems) => notices.add(`refused ${problems.map(showProblem).join('|')}`),
    onUnsaved: (error) => notices.add(`unsaved ${(error as Error).message}`),
    onOverridesUnread: (error) => notices.add(`unread ${(error as Error).message}`),
    onProved: () => {},
    onWaysLost: ({ numbers, services }) => notices.add(`lost ${[...numbers, ...services].join(' ')}`),
    onClockImplausible: () => notices.add('clock'),
  });
  // Watching alone does not keep a process running.
  const alive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(alive));
  t.teardown(() => documents.close());
  const eye = () => documents.current().plan.mailbox('eye')?.name;
  return { documents, notices, eye };
}

void t.test('manual: what is saved is a draft until it is activated, and can be rolled back', async (t) => {
  const house = await aHouse(t, 'manual');
  const first = start(t, house);
  await first.documents.start();
  t.equal(await first.notices.next(), 'activated plan roster', 'the first version of all comes from the folder');

  house.eyeSays('Eye hospital');
  t.match(await house.plan('check'), { code: 0, says: /Good: / });
  const diff = await house.plan('diff');
  t.equal(diff.says, 'eye.yaml:\n-   eye: { name: Eye clinic }\n+   eye: { name: Eye hospital }\n');
  t.equal(first.eye(), 'Eye clinic', 'a draft changes nothing');
  const activated = await house.plan('activate');
  t.match(
    activated,
    { code: 0, says: /^Plan [0-9a-f]{12} will be in force when the house starts\.$/m },
    'no app is seen',
  );
  t.equal(await first.notices.next(), 'activated plan');
  t.equal(first.eye(), 'Eye hospital');

  t.match(await house.plan('rollback'), { code: 0 });
  t.equal(await first.notices.next(), 'activated plan');
  t.equal(first.eye(), 'Eye clinic');
  await first.documents.close();

  const second = start(t, house);
  await second.documents.start();
  t.equal(second.eye(), 'Eye clinic', 'also after a restart, whatever the folder says');

  const { says } = await house.plan('versions');
  t.equal(says.split('\n').filter((line) => /^[0-9a-f]{12} /.test(line)).length, 2, says);
  t.match(says, /^[0-9a-f]{12}  in force .*eye\.yaml, lakeside\.yaml$/m);
  const oldest = /^([0-9a-f]{12}) /m.exec(says.split('\n').at(1) ?? '')?.[1] ?? '';
  t.match(await house.plan('rollback', oldest), { code: 0 }, 'by name');
  t.equal(await second.notices.next(), 'activated plan');
  t.match(await house.plan('rollback', 'abcdef0123'), { code: 2, says: /there is no such version/ });
});

void t.test('what a plan takes away from callers is told when it is activated', async (t) => {
  const house = await aHouse(t, 'manual');
  const { documents, notices } = start(t, house);
  await documents.start();
  await notices.next();
  const good = readFileSync(house.lakeside, 'utf8');
  const renumbered = good.replace('service: cardiology, urgency: stat', 'service: neurology, urgency: stat');
  writeFileSync(
    house.lakeside,
    renumbered.replace(/^ {2}(7012|7013): .*$/gm, '  $1: { from: inside, operator: { for: 20s } }'),
  );
  const { code, says } = await house.plan('activate');
  t.equal(code, 0, 'it may be meant');
  t.match(says, /^NOBODY ON CALL is behind 7012, 7013 any more: the plan before rang a chain\.$/m);
  t.notMatch(says, /NO NUMBER/, 'the main line still leads to cardiology');
  t.equal(await notices.next(), 'activated plan');
  t.equal(await notices.next(), 'lost 7012 7013', 'and the running house says so, too');

  writeFileSync(house.lakeside, good.replaceAll('service: neurology', 'service: cardiology'));
  t.match((await house.plan('activate')).says, /^NO NUMBER leads to Neurology any more\.$/m);
  t.equal(await notices.next(), 'activated plan');
  t.equal(await notices.next(), 'lost neurology');
  writeFileSync(house.lakeside, good);
  t.notMatch((await house.plan('activate')).says, /any more/);
});

void t.test('manual: one department is activated while another is broken', async (t) => {
  const house = await aHouse(t, 'manual');
  const { documents, notices, eye } = start(t, house);
  await documents.start();
  await notices.next();
  house.eyeSays('Eye hospital');
  const good = readFileSync(house.lakeside, 'utf8');
  writeFileSync(house.lakeside, good.replace('service: cardiology', 'service: cardiolgy'));

  const whole = await house.plan('activate');
  t.equal(whole.code, 1);
  t.match(whole.says, /lakeside\.yaml:\d+:\d+: unknown service "cardiolgy"; did you mean "cardiology"\?/);
  t.match(whole.says, /Nothing was changed/);
  t.match(await house.plan('activate', '--only', 'ear.yaml'), { code: 2, says: /there are eye\.yaml, lakeside\.yaml/ });

  t.match(await house.plan('activate', '--only', 'eye.yaml'), { code: 0 });
  t.equal(await notices.next(), 'activated plan');
  t.equal(eye(), 'Eye hospital');
  t.match(documents.current().plan.route('7011', 'inside')?.to, { service: 'cardiology' });
});

void t.test('automatic: a rollback holds until somebody edits the folder', async (t) => {
  const house = await aHouse(t, 'automatic');
  const { documents, notices, eye } = start(t, house);
  await documents.start();
  await notices.next();
  house.eyeSays('Eye hospital');
  t.equal(await notices.next(), 'activated plan');
  t.match(await house.plan('rollback'), { code: 0 });
  t.equal(await notices.next(), 'activated plan');
  t.equal(eye(), 'Eye clinic');
  await documents.close();
  const again = start(t, house);
  await again.documents.start();
  t.equal(again.eye(), 'Eye clinic', 'the folder is as it was when it was rolled back');
  house.eyeSays('Eye centre');
  t.equal(await again.notices.next(), 'activated plan');
  t.equal(again.eye(), 'Eye centre');
  t.match(await house.plan('activate', '--only', 'eye.yaml'), { code: 1, says: /set plans\.activation to manual/ });
});

void t.test('a version that was kept is what it was, whoever opens the store', async (t) => {
  const house = await aHouse(t, 'manual');
  const { documents } = start(t, house);
  await documents.start();
  const db = new Database(join(house.data, 'wardline.db'));
  t.teardown(() => db.close());
  t.throws(() => db.exec("update plan_versions set files = '[]'"), /immutable/);
  t.throws(() => db.exec('delete from plan_versions'), /immutable/);
  const [version] = house.store.plans.list();
  await house.store.plans.keep({ ...version!, author: 'mallory', files: [] });
  t.same(house.store.plans.list(), [version], 'the same name is the same content');
});

void t.test('before the first start there is nothing to compare with or to go back to', async (t) => {
  const house = await aHouse(t, 'manual');
  t.match(await house.plan('versions'), { code: 0, says: /No version yet/ });
  t.match(await house.plan('diff'), { code: 1, says: /no plan was ever in force here/ });
  t.match(await house.plan('rollback'), { code: 1, says: /there is no plan before/ });
  rmSync(house.folders.dialplans, { recursive: true });
  t.match(await house.plan('activate'), { code: 1, says: /the folder cannot be read/ });
  mkdirSync(house.folders.dialplans);
});
