import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { openSealed, SealedWriter, type OpenResult, type SealedSink, type SealError } from '../../src/vault/index.ts';

const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;
const metadata = { call: 'K7Q-2M', mailbox: 'cardiology', urgent: true };
const ama = await generateX25519Identity();
const beau = await generateX25519Identity();
const eve = await generateX25519Identity();
const recipients = [await identityToRecipient(ama), await identityToRecipient(beau)];
/** Three quarters of a second. */
const SEGMENT = 6000;
const speech = randomBytes(3 * SEGMENT + 4000);

class MemorySink implements SealedSink {
  readonly #parts: Uint8Array[] = [];
  closed = 0;
  async append(bytes: Uint8Array): Promise<void> {
    this.#parts.push(bytes);
  }
  async close(): Promise<void> {
    this.closed += 1;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

async function seal(audio: Uint8Array, pushBytes = 160): Promise<Buffer> {
  const sink = new MemorySink();
  const writer = await SealedWriter.open({ sink, recipients, format, metadata });
  for (let at = 0; at < audio.length; at += pushBytes) writer.push(audio.subarray(at, at + pushBytes));
  await writer.close();
  await writer.close();
  return sink.bytes;
}

function opened(result: OpenResult): OpenResult & { kind: 'opened' } {
  if (result.kind !== 'opened') throw new Error(`refused: ${result.reason}`);
  return result;
}

const sealed = await seal(speech);
/** Byte offsets at which each segment begins. */
const marks: number[] = [];
for (let at = sealed.indexOf('WSEG'); at !== -1; at = sealed.indexOf('WSEG', at + 12 + sealed.readUInt32BE(at + 8))) {
  marks.push(at);
}

void t.test('every recipient alone opens it, sample for sample, and nobody else does', async (t) => {
  for (const identity of [ama, beau]) {
    const result = opened(await openSealed(sealed, [eve, identity]));
    t.ok(speech.equals(result.audio));
    t.same([result.format, result.metadata, result.ending, result.damaged], [format, metadata, 'complete', []]);
  }
  t.same(await openSealed(sealed, [eve]), { kind: 'refused', reason: 'wrongKey' });
  t.same(await openSealed(sealed, []), { kind: 'refused', reason: 'wrongKey' });
});

void t.test('nothing of the audio, the metadata or the key is readable in the file', async (t) => {
  t.equal(sealed.indexOf(speech.subarray(100, 116)), -1);
  t.equal(sealed.indexOf('cardiology'), -1);
  t.equal(marks.length, 6, 'two descriptions, three whole segments, the rest');
});

void t.test('an empty recording and one that ends on a whole segment are complete', async (t) => {
  for (const size of [0, SEGMENT, 2 * SEGMENT]) {
    const result = opened(await openSealed(await seal(speech.subarray(0, size)), [ama]));
    t.equal(result.audio.length, size);
    t.equal(result.ending, 'complete');
  }
});

void t.test('a file cut anywhere opens up to the last whole segment and says so', async (t) => {
  const wrong: number[] = [];
  for (let size = 0; size < sealed.length; size += size < 100 || (size > marks[0]! && size < marks[1]!) ? 1 : 151) {
    const result = await openSealed(sealed.subarray(0, size), [ama]);
    const whole = marks.filter((_, i) => (marks[i + 1] ?? sealed.length) <= size).length;
    const isRight =
      result.kind === 'refused'
        ? whole === 0 && result.reason === (size === 0 ? 'notSealed' : 'truncated')
        : result.ending === 'truncated' &&
          result.damaged.length === 0 &&
          speech.subarray(0, Math.max(0, whole - 2) * SEGMENT).equals(result.audio);
    if (!isRight) wrong.push(size);
  }
  t.same(wrong, [], 'sizes at which the cut file opened wrongly');
});

const VERSION_BYTES = 18;

void t.test('any damaged byte costs at most its own segment', async (t) => {
  const wrong: number[] = [];
  let checked = 0;
  for (let at = 0; at < sealed.length; at += at < 200 || (at > marks[0]! && at < marks[2]! + 40) ? 1 : 241) {
    const harmed = Buffer.from(sealed);
    harmed[at]! ^= 1 << (at % 8);
    const result = await openSealed(harmed, [ama]);
    checked += 1;
    if (!(at < VERSION_BYTES ? refusedFor(result, at) : lostOnly(result, at))) wrong.push(at);
  }
  t.ok(checked > 300);
  t.same(wrong, [], 'offsets at which damage was handled wrongly');
});

function refusedFor(result: OpenResult, at: number): boolean {
  if (result.kind !== 'refused') return false;
  return result.reason === (at < 16 ? 'notSealed' : 'unsupportedVersion');
}

/** The header but its first line is there twice, so damage there costs nothing. */
function lostOnly(result: OpenResult, at: number): boolean {
  const segment = marks.findLastIndex((mark) => mark <= at);
  const isLast = segment === marks.length - 1;
  const rest = [0, 1, 2, 3]
    .filter((i) => i + 2 !== segment)
    .map((i) => speech.subarray(i * SEGMENT, (i + 1) * SEGMENT));
  return (
    result.kind === 'opened' &&
    Buffer.concat(rest).equals(result.audio) &&
    (isLast || result.damaged.join() === (segment < 0 ? '' : String(segment))) &&
    result.ending === (isLast ? 'truncated' : 'complete')
  );
}

void t.test('segments cannot be swapped, repeated, dropped or taken from another file', async (t) => {
  const part = (i: number) => sealed.subarray(marks[i], marks[i + 1]);
  const head = sealed.subarray(0, marks[0]);
  const swapped = Buffer.concat([head, part(0), part(1), part(3), part(2), part(4), part(5)]);
  t.same(opened(await openSealed(swapped, [ama])).damaged, [2]);
  const repeated = Buffer.concat([head, part(0), part(1), part(2), part(2), part(3), part(4), part(5)]);
  t.ok(speech.equals(opened(await openSealed(repeated, [ama])).audio));
  const dropped = Buffer.concat([head, part(0), part(1), part(2), part(4), part(5)]);
  t.same(opened(await openSealed(dropped, [ama])).damaged, [3]);
  const other = await seal(speech);
  const foreign = Buffer.concat([head, part(0), part(1), other.subarray(other.length - (sealed.length - marks[2]!))]);
  t.equal(opened(await openSealed(foreign, [ama])).audio.length, 0);
});

void t.test('what follows the last segment does not belong to it', async (t) => {
  const result = opened(await openSealed(Buffer.concat([sealed, Buffer.from('WSEG tail')]), [ama]));
  t.ok(speech.equals(result.audio));
  t.equal(result.ending, 'complete');
});

void t.test('other files are refused by name', async (t) => {
  t.same(await openSealed(Buffer.from('RIFF....WAVE'), [ama]), { kind: 'refused', reason: 'notSealed' });
  t.same(await openSealed(Buffer.from('wardline-sealed 1\nx'), [ama]), {
    kind: 'refused',
    reason: 'unsupportedVersion',
  });
  const noSlot = Buffer.from(sealed);
  for (const slot of [0, 1]) noSlot[VERSION_BYTES + slot * 4096 + 100]! ^= 1;
  t.same(await openSealed(noSlot, [ama]), { kind: 'refused', reason: 'damaged' });
});

/** What anybody can make who knows a recipient: it opens, and says what its maker likes. */
async function forge(description: string, audio: readonly (readonly [number, Uint8Array])[]): Promise<Buffer> {
  const key = randomBytes(32);
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipients[0]!);
  const wrapped = Buffer.from(await encrypter.encrypt(key));
  const name = randomBytes(32);
  const slot = Buffer.alloc(4096);
  const content = Buffer.concat([name, Buffer.from([0]), wrapped]);
  slot.writeUInt32BE(content.length);
  content.copy(slot, 4);
  createHash('sha256')
    .update(slot.subarray(0, 4 + content.length))
    .digest()
    .copy(slot, 4 + content.length);
  const segment = (number: number, plain: Uint8Array) => {
    const iv = Buffer.alloc(12);
    iv.writeUInt32BE(number, 7);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(name);
    const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    const frame = Buffer.from('WSEG00000000');
    frame.writeUInt32BE(number, 4);
    frame.writeUInt32BE(body.length, 8);
    return Buffer.concat([frame, body]);
  };
  const all = [[0, Buffer.from(description)] as const, ...audio];
  return Buffer.concat([
    Buffer.from('wardline-sealed 2\n'),
    slot,
    slot,
    ...all.map(([number, plain]) => segment(number, plain)),
  ]);
}

void t.test('a forged description is refused, and a forged number costs no memory', async (t) => {
  const good = '{"format":{"encoding":"PCMU","rate":8000,"channels":1},"metadata":{"__proto__":"x"}}';
  const audio = [[2, Buffer.alloc(8000, 7)]] as const;
  const forged = opened(await openSealed(await forge(good, audio), [ama]));
  t.same(
    [forged.audio.length, forged.segmentMs],
    [8000, 1000],
    'the forger can seal; what says nothing has whole seconds',
  );
  t.equal(Object.getPrototypeOf({}), Object.prototype);
  for (const bad of [
    '',
    'null',
    '[]',
    '{"format":null,"metadata":{}}',
    good.replace('8000', '0'),
    good.replace('8000', '-1'),
    good.replace('8000', '1e99'),
    good.replace('8000', '0.5'),
    good.replace('"channels":1', '"channels":1000000'),
    good.replace('PCMU', 'constructor'),
    good.replace('"x"', '{"deep":[]}'),
    good.replace('{', '{"segmentMs":0,'),
    good.replace('{', '{"segmentMs":86400000,'),
  ]) {
    t.same(await openSealed(await forge(bad, audio), [ama]), { kind: 'refused', reason: 'damaged' }, bad);
  }
  const far = opened(await openSealed(await forge(good, [...audio, [0xff_ff_ff_ff, Buffer.alloc(10)]]), [ama]));
  t.ok(far.damaged.length < 10, `${far.damaged.length} lost segments are listed`);
  t.equal(far.audio.length, 8000);
});

void t.test('a format that no reader would take is not written', async (t) => {
  const sink = new MemorySink();
  for (const wrong of [{ rate: 0 }, { rate: 400_000 }, { channels: 0.5 }]) {
    const open = SealedWriter.open({ sink, recipients, metadata, format: { ...format, ...wrong } });
    await t.rejects(open, { code: 'badFormat' });
  }
  t.equal(sink.bytes.length, 0);
});

void t.test('without a recipient nothing is written', async (t) => {
  const sink = new MemorySink();
  const code = (error: unknown) => (error as SealError).code;
  t.equal(await SealedWriter.open({ sink, recipients: [], format, metadata }).catch(code), 'noRecipients');
  t.equal(await SealedWriter.open({ sink, recipients: ['age1nope'], format, metadata }).catch(code), 'badRecipient');
  const many = await Promise.all(Array.from({ length: 17 }, () => generateX25519Identity().then(identityToRecipient)));
  t.equal(await SealedWriter.open({ sink, recipients: many, format, metadata }).catch(code), 'tooManyRecipients');
  t.equal(sink.bytes.length, 0);
  await SealedWriter.open({ sink, recipients: many.slice(1), format, metadata });
  t.ok(sink.bytes.length > 0, 'sixteen have room');
});

void t.test('a failing and a hanging disk are reported once, and close says so', async (t) => {
  const failures: string[] = [];
  const onFailure = (error: SealError) => failures.push(error.code);
  const full: SealedSink = { append: () => Promise.reject(new Error('ENOSPC')), close: async () => {} };
  const writer = await SealedWriter.open({ sink: full, recipients, format, metadata, onFailure });
  writer.push(speech);
  t.equal(await writer.close().catch((error: SealError) => error.code), 'sinkFailed');
  const hanging: SealedSink = { append: () => new Promise(() => {}), close: async () => {} };
  const stuck = await SealedWriter.open({ sink: hanging, recipients, format, metadata, onFailure });
  for (let second = 0; second < 200; second++) stuck.push(speech.subarray(0, 8000));
  t.equal(stuck.failure?.code, 'sinkTooSlow');
  t.same(failures, ['sinkFailed', 'sinkTooSlow']);
});
