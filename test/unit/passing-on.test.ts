import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { forwardMessage } from '../../src/cli/app/forward-message.ts';
import { strayDrafts, strayMessages } from '../../src/cli/app/stray-messages.ts';
import { phi } from '../../src/core/phi/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { newIdentity, openMessage, phiSealer, resealFor, SealedFile, SealedWriter } from '../../src/vault/index.ts';
import { aPlan, noon, phones } from '../support/lakeside.ts';

// A message that goes to another mailbox: its own file, its own key, heard behind the comment.

const url = 'http://127.0.0.1/sms';
const plan = aPlan([], {
  hooks: [
    { id: 'team', url, waitMs: 1000, send: [] },
    { id: 'sms', url, waitMs: 1000, send: [] },
  ],
  mailboxes: [
    { id: 'office', name: 'Office' },
    { id: 'cardiology', name: 'Cardiology' },
    { id: phones.ames, name: 'Dr Ames' },
    { id: phones.bell, name: 'Dr Bell', notify: [{ hook: 'sms' }] },
  ],
});

async function aHouse(t: Test) {
  const messages = t.testdir({});
  const { identity, recipient } = newIdentity();
  const store = await openStore(join(messages, 'wardline.db'), { sealer: phiSealer(new Uint8Array(32)) });
  t.teardown(() => store.close());
  const pathOf = (id: string) => join(messages, `${id}.sealed`);
  const record = async (id: string, audio: Uint8Array, encoding: 'PCMU' | 'PCMA' | 'L16' = 'PCMU') => {
    const sink = await SealedFile.create(pathOf(id));
    const recipients = [recipient];
    const format = { encoding, rate: 8000, channels: 1 };
    const writer = await SealedWriter.open({ sink, recipients, format, metadata: {} });
    writer.push(audio);
    await writer.close();
  };
  const hear = async (id: string) => {
    const opened = await openMessage(pathOf(id), [identity]);
    return opened.kind === 'opened' ? Buffer.from(opened.audio) : opened.reason;
  };
  const leave = async (messageId: string) => {
    await store.messages.save({
      messageId,
      mailbox: phones.ames,
      callId: 'K7QX-2M4D-9RTB',
      at: noon,
      durationMs: 2000,
      isUrgent: true,
      isPrivate: false,
      callBack: phi('2102'),
      service: null,
      urgency: null,
      path: pathOf(messageId),
      sentBy: null,
      copyOf: null,
      exportedAt: null,
    });
  };
  const troubles: unknown[] = [];
  const log = { info() {}, warn() {}, error: (fields: object) => void troubles.push(fields) };
  const used: unknown[] = [];
  const keys = {
    opening: async (about: object, _attest: unknown, work: (identities: readonly string[]) => Promise<unknown>) => {
      used.push(about);
      return work([identity]);
    },
  };
  const parts = { store, folders: { messages }, log, keys } as never;
  const writer = { write: async (_what: string, work: () => unknown) => void (await work()) };
  const forward = (commentId: string | null, copyId = 'copy-m1-5') =>
    forwardMessage(
      parts,
      writer,
      { plan, sealTo: () => [recipient] },
      {
        messageId: 'M1',
        commentId,
        to: phones.bell,
        copyId,
        isUrgent: false,
        by: phones.ames,
      },
    );
  return { messages, store, record, hear, leave, forward, pathOf, troubles, used };
}

void t.test('the comment is heard first, then the message; each copy has a key of its own', async (t) => {
  const { store, record, hear, leave, forward, pathOf, messages, used } = await aHouse(t);
  const [said, comment] = [randomBytes(16_500), randomBytes(9_000)];
  await record('M1', said);
  await record('comment-m1-3', comment);
  await leave('M1');
  t.equal(await forward('comment-m1-3'), null);
  t.same(await hear('copy-m1-5'), Buffer.concat([comment, said]));
  t.same(await hear('M1'), said, 'the message itself stays as it was');
  t.same(used, [{ messageId: 'M1', use: 'forwarded', by: phones.ames }], 'the use of the key is on record');
  t.notOk(existsSync(pathOf('comment-m1-3')), 'a comment does not lie about');
  t.match(await store.messages.find('copy-m1-5'), {
    mailbox: phones.bell,
    sentBy: phones.ames,
    copyOf: 'M1',
    callId: 'K7QX-2M4D-9RTB',
    state: 'new',
    durationMs: Math.round(25_500 / 8),
    isUrgent: false,
  });
  t.equal((await store.messages.find('copy-m1-5'))?.callBack?.reveal(), '2102');
  t.equal(store.notices.waiting, 1, 'whoever is told of messages is told of this one');
  const [from, to] = [readFileSync(pathOf('M1')), readFileSync(pathOf('copy-m1-5'))];
  t.equal(to.includes(from.subarray(-1000)), false, 'sealed anew');
  t.equal(to.includes(said.subarray(0, 64)) || to.includes(comment.subarray(0, 64)), false);
  t.same(await strayDrafts(messages, new Set(['copy-m1-5'])), []);
  t.same(
    await strayDrafts(messages, new Set()),
    ['copy-m1-5'],
    'a copy without an entry is shredded at the next start',
  );
  t.same(await strayMessages(messages, new Set(['M1'])), [], 'and is no message of its own');
});

void t.test('a comment by another law sounds the same; other sound is refused', async (t) => {
  const { record, hear, leave, forward, pathOf, store } = await aHouse(t);
  await record('M1', Buffer.alloc(8_000, 0xff));
  // The smallest sample of A-law is 8, which µ-law has too.
  await record('comment-m1-3', Buffer.alloc(8_000, 0xd5), 'PCMA');
  await leave('M1');
  t.equal(await forward('comment-m1-3'), null);
  t.same(await hear('copy-m1-5'), Buffer.concat([Buffer.alloc(8_000, 0xfe), Buffer.alloc(8_000, 0xff)]));
  await record('comment-m1-4', Buffer.alloc(16_000), 'L16');
  t.equal(await forward('comment-m1-4', 'copy-m1-6'), 'it cannot be opened (differentSound)');
  t.notOk(existsSync(pathOf('copy-m1-6')));
  const stranger = newIdentity();
  const wrong = await resealFor({
    from: [pathOf('M1')],
    to: pathOf('copy-x'),
    identities: [stranger.identity],
    recipients: [stranger.recipient],
    metadata: {},
  });
  t.same(wrong, { kind: 'refused', reason: 'wrongKey' });
  await store.messages.shredded('M1', noon);
  t.equal(await forward(null, 'copy-m1-7'), 'the message is gone');
});

void t.test('a disk that refuses leaves neither a file nor an entry', async (t) => {
  const { record, leave, forward, pathOf, store, troubles } = await aHouse(t);
  await record('M1', randomBytes(100));
  await leave('M1');
  await record('copy-m1-5', randomBytes(1));
  t.equal(await forward(null), 'it could not be written', 'nothing is written over');
  t.equal(await store.messages.find('copy-m1-5'), null);
  t.equal(troubles.length, 1);
  t.ok(existsSync(pathOf('M1')));
});
