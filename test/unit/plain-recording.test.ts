import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { plainSealer, sealLeftovers } from '../../src/cli/app/plain-recordings.ts';
import { SilenceWatch } from '../../src/telephony/silence-watch.ts';
import { sealedByServer, sealedByUs } from '../../src/telephony/recordings.ts';
import { openMessage, PlainRecording } from '../../src/vault/index.ts';
import { until } from '../support/processes.ts';
import { toneSamples } from '../support/sound.ts';
import { TestClock } from '../support/telephony.ts';

const identity = await generateX25519Identity();
const recipients = [await identityToRecipient(identity)];

/** Speech as FreeSWITCH writes it: 16 bits, little-endian, 8 kHz. */
function speech(ms: number): Buffer {
  const bytes = Buffer.alloc(ms * 16);
  [...toneSamples(400, ms * 8, 0, 9000, 8000)].forEach((value, i) => bytes.writeInt16LE(value, i * 2));
  return bytes;
}

/** A folder in memory and one on the disk, and a look that the test takes. */
function place(t: { testdir(): string }) {
  const root = t.testdir();
  for (const name of ['plain', 'sealed']) mkdirSync(join(root, name));
  const looks = new Set<() => void>();
  return {
    folder: root,
    plain: join(root, 'plain/M1.r8'),
    sealed: join(root, 'sealed/M1.sealed'),
    recipients,
    metadata: {},
    every: (look: () => void) => {
      looks.add(look);
      return { cancel: () => void looks.delete(look) };
    },
    looks,
  };
}

async function soundIn(path: string) {
  const opened = await openMessage(path, [identity]);
  if (opened.kind !== 'opened') throw new Error(`${path}: ${opened.reason}`);
  return { audio: Buffer.from(opened.audio), ending: opened.ending, format: opened.format };
}

t.test('a recording in memory is sealed while it grows, and gone from there when it is complete', async (t) => {
  const at = place(t);
  const recording = await PlainRecording.open(at);
  t.equal(recording.durationMs, 0, 'the media server has not begun');
  const said = speech(2500);
  writeFileSync(at.plain, said.subarray(0, 16_001));
  for (const look of at.looks) look();
  await until(
    'the first segment',
    async () => existsSync(at.sealed) && (await soundIn(at.sealed)).audio.length === 12_000,
  );
  t.equal((await soundIn(at.sealed)).ending, 'truncated');
  t.ok(existsSync(at.plain), 'the plain file is the truth until the end');
  appendFileSync(at.plain, said.subarray(16_001));
  t.equal(await recording.finish(), 2500);
  t.equal(at.looks.size, 0);
  const { audio, ending, format } = await soundIn(at.sealed);
  t.ok(audio.equals(said), 'sample for sample, also where half a sample was read at first');
  t.equal(ending, 'complete');
  t.same(format, { encoding: 'L16', rate: 8000, channels: 1 });
  t.same(readdirSync(join(at.folder, 'plain')), []);
  t.same(readdirSync(join(at.folder, 'sealed')), ['M1.sealed']);
  t.notOk(readFileSync(at.sealed).includes(said.subarray(0, 96)), 'nothing of it in clear');
  t.equal(await recording.finish(), 2500, 'twice is once');
});

t.test('five minutes at once are sealed whole', async (t) => {
  const at = place(t);
  const said = Buffer.concat(Array.from({ length: 100 }, () => speech(3000)));
  writeFileSync(at.plain, said);
  const recording = await PlainRecording.open(at);
  t.equal(await recording.finish(), 300_000);
  t.ok((await soundIn(at.sealed)).audio.equals(said));
});

t.test('nothing said is an empty message, not a failure', async (t) => {
  const at = place(t);
  t.equal(await (await PlainRecording.open(at)).finish(), 0);
  t.equal((await soundIn(at.sealed)).audio.length, 0);
});

t.test('what cannot be sealed stays where it is', async (t) => {
  const at = place(t);
  writeFileSync(at.plain, speech(1000));
  await t.rejects(PlainRecording.open({ ...at, recipients: [] }), { code: 'noRecipients' });
  await t.rejects(PlainRecording.open({ ...at, sealed: join(at.folder, 'nowhere/M1.sealed') }), { code: 'ENOENT' });
  const plain = join(at.folder, 'nowhere/M1.r8');
  await t.rejects(PlainRecording.open({ ...at, plain }), { code: 'ENOENT' }, 'the media server would hang up');
  await t.rejects(PlainRecording.open({ ...at, plain: '/proc/M1.r8' }), /\/proc is full: make its tmpfs larger/);
  t.same(readdirSync(join(at.folder, 'sealed')), [], 'no half container');
  mkdirSync(at.sealed);
  const recording = await PlainRecording.open(at);
  await t.rejects(recording.finish(), { code: 'EISDIR' });
  t.ok(existsSync(at.plain));
});

t.test('a process that died in between: the next seals it from the beginning', async (t) => {
  const at = place(t);
  writeFileSync(at.plain, speech(3000));
  const dead = await PlainRecording.open(at);
  for (const look of at.looks) look();
  await until('its container', async () => existsSync(at.sealed) && (await soundIn(at.sealed)).audio.length > 0);
  truncateSync(at.sealed, readFileSync(at.sealed).length - 100);
  writeFileSync(`${at.sealed}.part`, 'of one that died even earlier');
  t.ok(dead.durationMs > 0);

  const troubles: unknown[] = [];
  writeFileSync(join(at.folder, 'plain/not a message.r8'), '');
  const leftovers = await sealLeftovers({
    folders: [join(at.folder, 'plain'), join(at.folder, 'nowhere')],
    pathOf: (id) => join(at.folder, 'sealed', `${id}.sealed`),
    recipients,
    onTrouble: (_, file) => troubles.push(file),
  });
  t.teardown(() => leftovers.close());
  t.same(troubles, [join(at.folder, 'nowhere')], 'a folder that is not there is told');
  await until('the plain file to be gone', () => !existsSync(at.plain));
  const { audio, ending } = await soundIn(at.sealed);
  t.equal(ending, 'complete');
  t.ok(audio.equals(speech(3000)));
});

t.test('a media server that seals is told to whom; for one that cannot, we do', async (t) => {
  const bySelf = await sealedByServer('/there').begin('M1.sealed', ['age1a', 'age1b']);
  t.match(bySelf, { file: '/there/M1.sealed', variables: [['wardline_seal_to', 'age1a,age1b']] });
  t.equal(await bySelf.complete(), null, 'it knows how long it is');

  const at = place(t);
  const folders = { plain: join(at.folder, 'plain'), plainThere: '/there', sealed: join(at.folder, 'sealed') };
  const byUs = await sealedByUs({ ...folders, sealer: plainSealer }).begin('M1.sealed', recipients);
  t.match(byUs, { file: '/there/M1.r8', variables: [] });
  writeFileSync(at.plain, speech(40));
  t.equal(await byUs.complete(), 40);
  t.ok((await soundIn(at.sealed)).audio.equals(speech(40)));
});

t.test(
  'a phone whose packets stop is told as silent, again and again; one that cannot be counted is not',
  async (t) => {
    const clock = new TestClock();
    const asked: string[] = [];
    let count: string | Error = '100';
    let told = 0;
    const watch = new SilenceWatch('u-1', {
      clock,
      everyMs: 10_000,
      api: async (command) => {
        asked.push(command);
        if (count instanceof Error) throw count;
        return command.startsWith('uuid_getvar') ? count : '+OK Success\n';
      },
      silent: () => (told += 1),
    });
    const look = async (): Promise<number> => {
      clock.advance(10_000);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      return told;
    };
    t.equal(await look(), 0, 'nothing to compare with yet');
    t.same(asked, ['uuid_set_media_stats u-1', 'uuid_getvar u-1 rtp_audio_in_packet_count']);
    count = '600\n';
    t.equal(await look(), 0);
    t.equal(await look(), 1);
    t.equal(await look(), 2, 'as long as it lasts');
    count = new Error('the media server is gone');
    t.equal(await look(), 2);
    count = '_undef_';
    t.equal(await look(), 2);
    t.equal(await look(), 2);
    watch.close();
    watch.close();
    const before = asked.length;
    await look();
    t.equal(asked.length, before, 'a closed watch asks nothing');
  },
);
