import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { LentKeys } from '../../src/mediad/channel/lent-keys.ts';
import { PromptFinder } from '../../src/mediad/channel/applications/prompts.ts';
import { decodeG711 } from '../../src/mediad/media/codec/g711.ts';
import { SealedSource } from '../../src/mediad/media/sealed-source.ts';
import { openedByServer } from '../../src/telephony/playback.ts';
import { sealedKey, SealedFile, SealedReader, SealedWriter } from '../../src/vault/index.ts';

const identity = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;
/** 2.5 s that are the same nowhere. */
const audio = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

async function message(path: string): Promise<void> {
  const sink = await SealedFile.create(path);
  const writer = await SealedWriter.open({ sink, recipients, format, metadata: {}, onFailure: () => {} });
  writer.push(audio);
  await writer.close();
}

function heard(source: SealedSource): Int16Array {
  const samples: number[] = [];
  const frame = new Int16Array(160);
  for (let count = source.next(frame); count > 0; count = source.next(frame)) samples.push(...frame.subarray(0, count));
  return Int16Array.from(samples);
}

function spoken(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length);
  decodeG711('PCMU', bytes, samples);
  return samples;
}

void t.test('a message is heard sample by sample, opened while it plays', async (t) => {
  const path = join(t.testdir(), 'm.sealed');
  await message(path);
  const found = await sealedKey(path, [identity]);
  if (found.kind !== 'unwrapped') throw new Error(found.reason);
  const reader = await SealedReader.open(path, found.key);
  if (typeof reader === 'string') throw new Error(reader);
  t.same(heard(new SealedSource(reader)), spoken(audio));
  t.equal(reader.next(), undefined, 'and is over');

  t.match(await sealedKey(path, [await generateX25519Identity()]), { kind: 'refused', reason: 'wrongKey' });
  t.equal(await SealedReader.open(path, new Uint8Array(32)), 'wrongKey', 'a key of something else');
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, bytes.length - 4_000));
  const cut = await SealedReader.open(path, found.key);
  t.same(
    typeof cut !== 'string' && heard(new SealedSource(cut)),
    spoken(audio.subarray(0, 12_000)),
    'a cut one to its last whole segment',
  );
  bytes[bytes.length - 10_000]! ^= 1;
  writeFileSync(path, bytes);
  const harmed = await SealedReader.open(path, found.key);
  t.equal(
    typeof harmed !== 'string' && heard(new SealedSource(harmed)).length,
    14_000,
    'a damaged segment costs itself',
  );
  writeFileSync(path, 'nothing of ours');
  t.equal(await SealedReader.open(path, found.key), 'notSealed');
  t.match(await sealedKey(path, [identity]), { kind: 'refused', reason: 'notSealed' });
  await t.rejects(sealedKey(join(t.testdirName, 'none'), [identity]), { code: 'ENOENT' });
});

void t.test('what is lent is played once, by the channel it was lent to', async (t) => {
  const lent = new LentKeys();
  const finder = new PromptFinder([], '', lent);
  const variables = new Map<string, string>();
  const word = lent.lend('a', { path: '/m.sealed', key: new Uint8Array(32) })!;
  t.match(await finder.find(`sealed://${word}`, '!', { uuid: 'b', variables }), {
    kind: 'refused',
    reason: /not lent to this channel/,
  });
  t.match(await finder.find(`sealed://${word}`, '!'), { kind: 'refused' });
  t.match(await finder.find(`sealed://${word}`, '!', { uuid: 'a', variables }), {
    kind: 'found',
    items: [{ kind: 'sealed', path: '/m.sealed' }],
  });
  t.match(await finder.find(`sealed://${word}`, '!', { uuid: 'a', variables }), { kind: 'refused' }, 'not twice');
  t.equal(lent.take('a', 'a word of nobody'), undefined);
});

void t.test('the app lends the key of one message and asks for it by the word it gets', async (t) => {
  const asked: string[] = [];
  const key = new Uint8Array(32).fill(7);
  const answers = ['+OK 0a1b\n', '-ERR wardline_lend Command not found!\n'];
  const playback = openedByServer({
    folder: '/there',
    messageKey: async (id) => (id === 'bad' ? Promise.reject(new Error('damaged')) : key.slice()),
    api: async (command) => {
      asked.push(command);
      return answers.shift()!;
    },
  });
  t.equal(await playback.lend('u1', 'M1'), 'sealed://0a1b');
  t.same(asked, [`wardline_lend u1 /there/M1.sealed ${Buffer.from(key).toString('base64url')}`]);
  await t.rejects(playback.lend('u1', 'M1'), /cannot play it: -ERR wardline_lend Command not found!/);
  await t.rejects(playback.lend('u1', 'bad'), /damaged/);
});
