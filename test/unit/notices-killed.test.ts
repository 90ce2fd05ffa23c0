import { join } from 'node:path';
import t from 'tap';
import { sendNotices } from '../../src/cli/app/notices.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { noticesOf } from '../../src/core/voicemail/index.ts';
import type { NoticeBook } from '../../src/engine/index.ts';
import { openStore, type Store } from '../../src/storage/index.ts';
import { phiSealer } from '../../src/vault/index.ts';
import { aPlan, noon, phones } from '../support/lakeside.ts';
import { leftMessage as message } from '../support/left-message.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** What became of a notice at whoever it went to. */
type Way = 'taken' | 'refused' | 'no answer';
type Line = { readonly by: string; readonly is: Way | SystemFact['fact']; readonly tries?: number };

/** What a process does, step by step: it is killed at one of them, and neither that nor anything behind it happens. */
class Life {
  readonly #endsAt: number;
  steps = 0;

  constructor(endsAt: number) {
    this.#endsAt = endsAt;
  }

  get isOver(): boolean {
    return this.steps >= this.#endsAt;
  }

  step<T>(work: () => T): T {
    this.steps += 1;
    if (this.isOver) throw new Error('killed');
    return work();
  }
}

const plan = aPlan([], {
  hooks: ['sms', 'team'].map((id) => ({ id, url: 'http://127.0.0.1/', waitMs: 1_000, send: [] })),
  mailboxes: [
    { id: 'office', name: 'Office' },
    { id: 'cardiology', name: 'Cardiology' },
    { id: phones.ames, name: 'Dr Ames', notify: [{ hook: 'sms' }, { hook: 'team' }, { email: 'a@lakeside.example' }] },
  ],
});
/** Gateways that are not always well, and the record: both outlive the house. */
class World {
  readonly lines: Line[] = [];
  readonly clock = new VirtualClock(noon);
  readonly #ways: Record<string, Way[]> = { sms: ['refused'], team: ['no answer'] };

  /** Throws when the answer finds nobody any more. */
  arrives(life: Life, by: string): Way {
    const way = life.step(() => this.#ways[by]?.shift() ?? 'taken');
    this.lines.push({ by, is: way });
    return life.step(() => way);
  }
}

/** A house on this store, until every notice is told and on record, or it is killed. */
async function lives(life: Life, store: Store, world: World, messageId: string): Promise<void> {
  const { lines, clock } = world;
  const left = { ...message, messageId };
  const book: NoticeBook = {
    due: (...args) => (life.isOver ? [] : store.notices.due(...args)),
    begun: (...args) => life.step(() => store.notices.begun(...args)),
    failed: (...args) => life.step(() => store.notices.failed(...args)),
    over: (...args) => life.step(() => store.notices.over(...args)),
    recorded: (...args) => life.step(() => store.notices.recorded(...args)),
  };
  let close: () => unknown = () => {};
  try {
    // A message whose sound is there and that is in no list is entered again by the next process.
    if ((await store.messages.find(messageId)) === null)
      await life.step(() => store.saveMessage(left, noticesOf(plan, left)));
    sendNotices(
      {
        book,
        mailer: {
          send: async () => {
            const way = world.arrives(life, '');
            return way === 'taken' ? { kind: 'taken' } : { kind: 'failed', why: way, isUnsure: way === 'no answer' };
          },
        },
        posts: {
          post: async (_url, _told, _waitMs, headers) => {
            const way = world.arrives(life, String(headers?.['idempotency-key']).split(' ')[1] ?? '?');
            if (way === 'no answer') return { kind: 'failed', why: way, isUnsure: true };
            return { kind: 'answered', status: way === 'taken' ? 204 : 503, text: '' };
          },
        },
        plan: () => plan,
        clock,
        log: { info() {}, warn() {}, error() {} },
        record: async (fact) => {
          if ('hook' in fact && 'tries' in fact)
            life.step(() => lines.push({ by: fact.hook, is: fact.fact, tries: fact.tries }));
          // It is on record, and whoever waited for that is gone.
          life.step(() => {});
        },
      },
      { add: (_part, run) => (close = run) },
    );
    await until('everybody to be told', () => {
      if (!life.isOver) clock.advance(1_000);
      return life.isOver || store.notices.waiting === 0;
    });
  } catch (error) {
    if (!life.isOver) throw error;
  }
  await close();
}

void t.test('killed at any step: no notice is lost, and one that may have come twice is on record', async (t) => {
  const store = await openStore(join(t.testdir({}), 'w.db'), { sealer: phiSealer(new Uint8Array(32)) });
  t.teardown(() => store.close());
  let twice = 0;
  for (let endsAt = 1; ; endsAt++) {
    const world = new World();
    const life = new Life(endsAt);
    await lives(life, store, world, `M${endsAt}`);
    if (life.isOver) await lives(new Life(Infinity), store, world, `M${endsAt}`);
    const isWaiting = store.notices.waiting > 0;
    for (const by of ['sms', 'team', '']) {
      const mine = world.lines.filter((line) => line.by === by);
      const is = mine.map((line) => line.is);
      const taken = is.filter((way) => way === 'taken' || way === 'no answer').length;
      const repeated = is.filter((what) => what === 'noticeRepeated').length;
      const last = is.lastIndexOf('taken');
      const isRight =
        !isWaiting &&
        is.includes('taken') &&
        // Never more of them than the record owns up to, and each time before it is sent again.
        taken <= 1 + repeated &&
        is.every(
          (way, i) => way !== 'taken' || i === is.indexOf('taken') || is.slice(0, i).includes('noticeRepeated'),
        ) &&
        is.slice(last).includes('noticeSent') &&
        // What is written down twice has the same number.
        new Set(mine.flatMap((line) => (line.is === 'noticeSent' ? [line.tries] : []))).size === 1;
      if (!isRight) t.fail(`killed at step ${endsAt}: ${by || 'e-mail'}`, { mine });
      if (taken > 1 && by !== 'team') twice += 1;
    }
    if (!life.isOver) {
      t.same(
        world.lines.filter(({ is }) => is === 'noticeRepeated'),
        [{ by: 'team', is: 'noticeRepeated', tries: 1 }],
        'nothing is repeated that was answered',
      );
      t.ok(endsAt > 20, `${endsAt - 1} kills`);
      t.ok(twice >= 2, `${twice} times somebody was told twice`);
      return;
    }
  }
});

void t.test('a message and its notices are entered together or not at all', async (t) => {
  const store = await openStore(join(t.testdir({}), 'w.db'), { sealer: phiSealer(new Uint8Array(32)) });
  const notices = noticesOf(plan, message);
  const impossible = { ...notices[1]!, to: null as unknown as string };
  await t.rejects(store.saveMessage(message, [notices[0]!, impossible]), { code: 'SQLITE_CONSTRAINT_NOTNULL' });
  t.same([await store.messages.find('M1'), store.notices.waiting], [null, 0]);
  await store.close();
});
