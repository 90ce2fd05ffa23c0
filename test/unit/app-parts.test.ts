import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Closing } from '../../src/cli/app/closing.ts';
import { logTo } from '../../src/cli/app/log.ts';
import { messageBook, messageLength } from '../../src/cli/app/message-book.ts';
import { strayDrafts, strayMessages, whatIsKnown } from '../../src/cli/app/stray-messages.ts';
import { dataFolders } from '../../src/cli/folders.ts';
import { houseSecrets } from '../../src/cli/house-secrets.ts';
import type { Fact } from '../../src/core/audit/index.ts';
import type { CallId } from '../../src/core/call/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { type Instant, instant } from '../../src/core/time/index.ts';
import type { MessageRow } from '../../src/storage/index.ts';
import { type Metadata, newIdentity, openMessage, SealedWriter } from '../../src/vault/index.ts';
import { until } from '../support/processes.ts';

const CALL = 'K7QX-2M4D' as CallId;
const OTHER = 'WARD-2222' as CallId;
const MESSAGE = 'ab'.repeat(16);
const pair = newIdentity();
const AT = instant(Date.UTC(2026, 10, 23, 14));

const started = (messageId = MESSAGE): Fact => ({
  fact: 'recordingStarted',
  messageId,
  mailbox: 'cardiology',
  urgent: true,
});
const ended = (durationMs: number): Fact => ({
  fact: 'recordingEnded',
  messageId: MESSAGE,
  durationMs,
  by: 'caller',
  why: 'hung up',
});
const over: Fact = { fact: 'ended', cause: 'internalError', fault: 'wardline', talkedMs: 0 } as Fact;

/** A recording as mediad leaves it in the file: `seconds` sealed, whether or not anybody came to its end. */
async function record(
  folder: string,
  recipient: string,
  samples: number,
  isFinished: boolean,
  metadata: Metadata = {},
): Promise<Uint8Array> {
  const file = join(folder, `${MESSAGE}.sealed`);
  const writer = await SealedWriter.open({
    sink: { append: async (bytes) => appendFileSync(file, bytes), close: async () => {} },
    recipients: [recipient],
    format: { encoding: 'PCMU', rate: 8000, channels: 1 },
    metadata,
  });
  const audio = Uint8Array.from({ length: samples }, (_, i) => i % 251);
  writer.push(audio);
  if (isFinished) await writer.close();
  else await new Promise((resolve) => setImmediate(resolve));
  return audio;
}

async function aBook(t: Test) {
  const folder = t.testdir({});
  const saved: MessageRow[] = [];
  const attested: string[] = [];
  const troubles: string[] = [];
  const looks: (() => void)[] = [];
  const book = messageBook({
    audit: {
      attest: async (entries) => {
        attested.push(...entries.map(({ fact }) => fact.fact));
        return 'durable';
      },
    },
    save: async (message) => void saved.push(message),
    find: async () => null,
    clock: {
      after: (_ms, run) => {
        looks.push(run);
        return { cancel: () => void looks.splice(looks.indexOf(run), 1) };
      },
    },
    pathOf: (messageId) => join(folder, `${messageId}.sealed`),
    discard: async (path: string) => rmSync(path),
    measure: (path) => messageLength(path, [pair.identity]),
    onTrouble: (error) => troubles.push((error as Error).message),
  });
  const attest = async (fact: Fact, callId: CallId = CALL, at: Instant = AT) => {
    await book.audit.attest([{ at, callId, fact }]);
    // The call does not wait for the list; the test does.
    await book.close();
  };
  return { folder, saved, attested, troubles, looks, book, attest };
}

void t.test('a message is entered once its end is on record, with the time it was begun', async (t) => {
  const { folder, saved, attested, troubles, attest } = await aBook(t);
  await attest(started());
  t.same(saved, [], 'not while it is being recorded');
  await attest(ended(4200), CALL, instant(AT + 9000));
  await attest(ended(4200));
  await attest(over);
  t.same(saved, [
    {
      service: null,
      urgency: null,
      messageId: MESSAGE,
      callId: CALL,
      mailbox: 'cardiology',
      isUrgent: true,
      at: AT,
      durationMs: 4200,
      path: join(folder, `${MESSAGE}.sealed`),
      sentBy: null,
      copyOf: null,
      exportedAt: null,
      isPrivate: false,
      callBack: null,
    },
  ]);
  t.same(
    attested,
    ['recordingStarted', 'recordingEnded', 'recordingEnded', 'ended'],
    'every fact went on to the audit',
  );
  t.same(troubles, []);
});

void t.test('a recorder that was lost cannot say how long it recorded: the sealed file can', async (t) => {
  const { folder, saved, attest } = await aBook(t);
  await record(folder, pair.recipient, 20_000, true);
  await attest(started());
  await attest(ended(0));
  t.match(saved, [{ messageId: MESSAGE, durationMs: 2500 }]);
});

void t.test('a call that failed while it was recorded leaves its message in the list', async (t) => {
  const { folder, saved, attest } = await aBook(t);
  await record(folder, pair.recipient, 16_000, true);
  await attest(started());
  await attest(over, OTHER);
  t.same(saved, [], 'another call says nothing about it');
  await attest(over);
  t.match(saved, [{ messageId: MESSAGE, callId: CALL, durationMs: 2000 }]);
});

void t.test('a recording that goes on after its process died is looked at until it has stopped growing', async (t) => {
  const { folder, saved, looks, book } = await aBook(t);
  await record(folder, pair.recipient, 8000, true);
  await book.recover(CALL, [{ at: AT, fact: started() }]);
  t.match(
    saved.map((message) => message.durationMs),
    [1000],
  );
  rmSync(join(folder, `${MESSAGE}.sealed`));
  await record(folder, pair.recipient, 24_000, true);
  looks.shift()?.();
  await until('the second look', () => saved.length === 2);
  t.equal(saved[1]?.durationMs, 3000);
  await until('the next look to be set', () => looks.length === 1);
  looks.shift()?.();
  await book.close();
  t.same([saved.length, looks.length], [2, 0], 'as long as before: it is over');
});

void t.test('nothing was said, or the file cannot be read: no entry, and only the second is trouble', async (t) => {
  const { folder, saved, troubles, attest } = await aBook(t);
  await attest(started());
  await attest(ended(0));
  t.same([saved, troubles], [[], []]);
  writeFileSync(join(folder, `${MESSAGE}.sealed`), 'not sealed at all, and longer than a mark');
  await attest(started());
  await attest(ended(0));
  t.same(saved, []);
  t.match(troubles, [/cannot be opened: notSealed/]);
});

void t.test(
  'a recording that a killed process left is listed with its age and opens up to the last whole segment',
  async (t) => {
    const { folder, saved, troubles, book } = await aBook(t);
    const audio = await record(folder, pair.recipient, 3 * 8000 + 100, false);
    const file = join(folder, `${MESSAGE}.sealed`);
    // The kill came in the middle of a write.
    truncateSync(file, statSync(file).size - 5);
    await book.recover(CALL, [
      { at: instant(AT - 60_000), fact: started('cd'.repeat(16)) },
      { at: instant(AT - 50_000), fact: { ...ended(1000), messageId: 'cd'.repeat(16) } as Fact },
      { at: AT, fact: started() },
    ]);
    t.match(saved, [{ messageId: MESSAGE, callId: CALL, at: AT, durationMs: 2250, mailbox: 'cardiology' }]);
    t.equal(saved.length, 1, 'the recording that was ended is in the list already');
    t.same(troubles, []);
    const opened = await openMessage(file, [pair.identity]);
    if (opened.kind !== 'opened') return t.fail(opened.reason);
    t.equal(opened.ending, 'truncated');
    t.ok(Buffer.from(opened.audio).equals(audio.subarray(0, 18_000)));
  },
);

void t.test('marks count from the key on, also when the process dies during the review', async (t) => {
  const { folder, saved, attest, book } = await aBook(t);
  const file = join(folder, `${MESSAGE}.sealed`);
  await record(folder, pair.recipient, 2 * 8000, true);
  const again = `${MESSAGE}-2`;
  const calm = { ...started(), urgent: false } as Fact;
  const marks: Fact[] = [
    { fact: 'messageMarked', messageId: MESSAGE, private: true },
    { fact: 'messageMarked', messageId: MESSAGE, callBack: phi('2102') },
    { fact: 'messageMarked', messageId: MESSAGE, urgent: true },
  ];
  const facts = [calm, ...marks].map((fact) => ({ at: AT, fact }));
  await book.recover(CALL, facts);
  t.match(saved, [{ messageId: MESSAGE, isUrgent: true, isPrivate: true }]);
  t.equal(saved.splice(0)[0]?.callBack?.reveal(), '2102');

  writeFileSync(join(folder, `${again}.sealed`), readFileSync(file));
  await book.recover(CALL, [...facts, { at: AT, fact: { ...calm, messageId: again } as Fact }]);
  t.match(
    saved.map(({ messageId, isPrivate, callBack }) => [messageId, isPrivate, callBack?.reveal()]),
    [
      [MESSAGE, true, '2102'],
      [again, true, '2102'],
    ],
    'who says it again has marked it before',
  );
  saved.length = 0;

  await attest(calm);
  for (const fact of marks) await attest(fact);
  await attest(over);
  t.match(saved, [{ messageId: MESSAGE, isUrgent: true, isPrivate: true }], 'a call that failed says it with its keys');

  const ends = { ...ended(2000), private: true } as Fact;
  const entry = (seq: number, fact: Fact) => ({ seq, id: `b-${seq}`, isLate: false, at: AT, callId: CALL, fact });
  const audit = {
    list: async ({ afterSeq }: { afterSeq: number }) => [entry(1, calm), entry(2, ends)].slice(afterSeq),
    ofCall: async () => [entry(1, calm), entry(2, ends)],
  };
  const known = await whatIsKnown({ messageId: MESSAGE, path: file }, [pair.identity], audit);
  t.equal(known.isPrivate, true, 'killed between the end and the list');
});

void t.test(
  'a recording that is in no list is entered with what the audit, or else the container, knows of it',
  async (t) => {
    const { folder, saved, troubles, looks, book } = await aBook(t);
    const startedAt = new Date(AT + 20).toISOString();
    await record(folder, pair.recipient, 2 * 8000, true, { startedAt });
    t.same(await strayMessages(folder, new Set()), [MESSAGE]);
    t.same(await strayMessages(folder, new Set([MESSAGE])), []);

    /** A chain with an entry a second, in the middle of which the recording starts. */
    let reads = 0;
    const entries = (middle: Fact) =>
      Array.from({ length: 3001 }, (_, i) => ({
        seq: i + 1,
        id: `b-${i}`,
        isLate: false,
        at: AT + (i - 1500) * 1000,
        callId: CALL,
        fact: i === 1500 ? middle : over,
      }));
    const auditWith = (middle: Fact) => ({
      list: async ({ afterSeq, limit }: { afterSeq: number; limit: number }) => {
        reads += 1;
        return entries(middle).slice(afterSeq, afterSeq + limit);
      },
      ofCall: async () => entries(middle),
    });
    const about = (middle: Fact) => (messageId: string) =>
      whatIsKnown({ messageId, path: join(folder, `${messageId}.sealed`) }, [pair.identity], auditWith(middle));
    const adopt = async (middle: Fact) => {
      book.adopt([MESSAGE], about(middle));
      t.same(saved, [], 'not before the audit has taken what was spooled');
      looks.shift()?.();
      await until('the message to be entered', () => looks.length === 1 && saved.length === 1);
      looks.length = 0;
      return saved.splice(0)[0];
    };
    t.match(await adopt({ ...started(), urgent: false } as Fact), {
      messageId: MESSAGE,
      callId: CALL,
      mailbox: 'cardiology',
      isUrgent: false,
      at: AT,
      durationMs: 2000,
    });
    t.ok(reads < 60, `${reads} reads: the audit is not read from its beginning`);
    t.match(await adopt(started('cd'.repeat(16))), { callId: null, mailbox: 'unknown', isUrgent: true, at: AT + 20 });
    t.same(troubles, []);
  },
);

void t.test('a stray file that cannot be opened is told of, an empty one is not', async (t) => {
  const { folder, saved, troubles, looks, book } = await aBook(t);
  const about = () => Promise.reject(new Error('nobody asks'));
  await record(folder, pair.recipient, 0, true);
  writeFileSync(join(folder, 'other.sealed'), 'not sealed at all, and longer than a mark');
  book.adopt(['other', MESSAGE], about);
  looks.shift()?.();
  await until('both to be looked at', () => troubles.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  t.match(troubles, [/other.sealed cannot be opened: notSealed/]);
  t.same(saved, []);
});

void t.test('parts are closed in reverse order, each within its time, whatever the others do', async (t) => {
  const closed: string[] = [];
  const closing = new Closing();
  closing.add('log', () => closed.push('log'));
  closing.add('store', () => Promise.reject(new Error('the disk is full')));
  closing.add('hangs', () => new Promise(() => {}), 20);
  closing.add('throws', () => {
    throw new Error('no such socket');
  });
  closing.add('slow', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    closed.push('slow');
  });
  const [first, second] = await Promise.all([closing.close(), closing.close()]);
  t.same(closed, ['slow', 'log'], 'once, and the later part is gone before the earlier one');
  t.same(first, ['throws: no such socket', 'hangs: not closed after 20 ms', 'store: the disk is full']);
  t.equal(first, second, 'whoever closes again waits for the same end');
});

void t.test('the log turns over, and never writes into a file that is not its own', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'app.log');
  const line = (n: number) => `${JSON.stringify({ level: 'info', msg: `line ${n}` })}\n`;
  const log = logTo(path, () => {}, 60);
  for (let n = 0; n < 6; n++) log.write(line(n));
  t.equal(readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8'), [4, 5].map(line).join(''));

  // It cannot turn over now, and the next file that is opened would get the number of one that was closed too early.
  rmSync(`${path}.1`);
  mkdirSync(`${path}.1`);
  for (let n = 6; n < 9; n++) log.write(line(n));
  const store = openSync(join(folder, 'store'), 'w');
  for (let n = 9; n < 12; n++) log.write(line(n));
  log.close();
  log.close();
  log.write(line(12));
  closeSync(store);
  t.equal(statSync(join(folder, 'store')).size, 0);
  t.match(readFileSync(path, 'utf8'), 'line 11', 'and goes on in the old file');
});

void t.test('what a far end sent cannot steer the terminal', async (t) => {
  const shown: string[] = [];
  const log = logTo(join(t.testdir({}), 'app.log'), (line) => shown.push(line));
  const hostile = 'x\u001b[2J\u009b31m\r\nwardline: all is well\u2028';
  log.write(`${JSON.stringify({ level: 'warn', msg: 'trunk lost', why: hostile, [hostile]: 1 })}\n`);
  log.close();
  t.equal(shown.length, 1);
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  t.notMatch(shown[0], /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  t.match(shown[0], 'all is well');
});

void t.test('an error that nobody caught is in the log, without names, and ends the process', async (t) => {
  for (const crash of ['throw error', 'void Promise.reject(error)', 'setTimeout(() => { throw error })']) {
    const folder = t.testdir({});
    const program = `
      import { createLogger } from './src/observe/index.ts';
      import { logTo } from './src/cli/app/log.ts';
      import { logLastWords } from './src/cli/app/last-words.ts';
      const destination = logTo(process.argv[1], (line) => console.log(line));
      logLastWords(createLogger({ name: 'wardline', level: 'info', destination, format: 'json' }));
      setInterval(() => {}, 1000);
      const error = new Error('no leg for +12025550111');
      ${crash};`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '-e', program, join(folder, 'app.log')],
      { encoding: 'utf8' },
    );
    t.equal(status, 1, crash);
    const entry = JSON.parse(readFileSync(join(folder, 'app.log'), 'utf8')) as { msg: string };
    t.match(entry, { level: 'error', msg: 'app ended by an error', err: { message: 'no leg for +[number]' } });
    t.match(stdout, 'app ended by an error');
    t.notMatch(stdout + stderr + JSON.stringify(entry), '12025550111');
  }
});

void t.test('secrets are made for a new house only', async (t) => {
  const folders = dataFolders(t.testdir({}));
  const first = await houseSecrets(folders);
  t.equal((await houseSecrets(folders)).controlSecret, first.controlSecret);
  writeFileSync(folders.store, '');
  rmSync(folders.secrets, { recursive: true });
  await t.rejects(houseSecrets(folders), { message: /secrets is missing.*restore it from a backup/ });
  t.throws(() => statSync(folders.secrets), 'nothing stands in the way of the backup');
});

void t.test('greetings are no messages; those that nobody hears are found', async (t) => {
  const folder = t.testdir({
    'greeting-a-1.sealed': '',
    'greeting-b-2.sealed': '',
    'abc.sealed': '',
    'greeting-c.r8': '',
  });
  t.same(await strayMessages(folder, new Set()), ['abc']);
  t.same(await strayDrafts(folder, new Set(['greeting-a-1'])), ['greeting-b-2']);
});

void t.test('who tells a supervisor that dies at this moment goes on', async (t) => {
  const folder = t.testdir({});
  const go = join(folder, 'go');
  // It does not see that the channel is closed before it writes: it has not come back to its event loop.
  const program = `
    import { existsSync } from 'node:fs';
    import { tellSupervisor } from './src/cli/app/tell-supervisor.ts';
    process.on('message', () => {
      console.log('asked');
      while (!existsSync(process.argv[1]));
      tellSupervisor({ type: 'here' });
      setTimeout(() => { console.log('still here'); process.exit(0); }, 50);
    });
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, go], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const over = Promise.all([once(child, 'exit'), once(child.stdout!, 'end')]);
  child.send('areYouThere');
  await until('it to be asked', () => said.includes('asked'));
  child.disconnect();
  writeFileSync(go, '');
  t.match(await over, [[0]], 'it ended by itself');
  t.match(said, 'still here');
});
