import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import t from 'tap';
import { recipientOf } from '../../src/vault/age-recipient.ts';
import {
  ensureSecrets,
  exportWav,
  newIdentity,
  openMessage,
  phiSealer,
  SealedWriter,
  type AudioEncoding,
  type AudioFormat,
} from '../../src/vault/index.ts';

const FILES = 7;
const pair = newIdentity();

void t.test('secrets are made once, private, and read back the same', async (t) => {
  const dir = join(t.testdir({}), 'secrets');
  const first = await ensureSecrets(dir);
  const again = await ensureSecrets(dir);
  t.equal(first.controlSecret, again.controlSecret);
  t.same(first.auditHeadKey, again.auditHeadKey);
  t.same(first.voicemailMasterKey, again.voicemailMasterKey);
  t.equal(again.phi.open(first.phi.seal('x')), 'x');
  t.equal(first.auditHeadKey.length, 32);
  t.equal(Buffer.from(first.controlSecret, 'base64url').length, 32);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  const files = readdirSync(dir);
  t.equal(files.length, FILES);
  for (const file of files) t.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
  t.equal(new Set(files.map((file) => readFileSync(join(dir, file), 'utf8'))).size, FILES, 'all different');
});

void t.test('two first starts at once end up with the same secrets', async (t) => {
  const dir = join(t.testdir({}), 'secrets');
  const made = await Promise.all(Array.from({ length: 5 }, () => ensureSecrets(dir)));
  t.equal(new Set(made.map((secrets) => secrets.controlSecret)).size, 1);
  t.same(readdirSync(join(dir, '..')), ['secrets'], 'no drafts are left');
});

void t.test('a house that is older than the key of its signatures gets one, once', async (t) => {
  const dir = join(t.testdir({}), 'secrets');
  const first = await ensureSecrets(dir);
  rmSync(join(dir, 'audit-sign.key'));
  const [next, other] = await Promise.all([ensureSecrets(dir), ensureSecrets(dir)]);
  t.not(Buffer.compare(next.auditSigningSeed, first.auditSigningSeed), 0);
  t.same(next.auditSigningSeed, other.auditSigningSeed);
  t.same((await ensureSecrets(dir)).auditSigningSeed, next.auditSigningSeed);
  t.same(next.auditHeadKey, first.auditHeadKey, 'the others stay');
  t.equal(statSync(join(dir, 'audit-sign.key')).mode & 0o777, 0o600);
  t.equal(readdirSync(dir).length, FILES, 'no drafts are left');
});

void t.test(
  'missing, damaged, cut or open secrets are refused with the file and the remedy, and never replaced',
  async (t) => {
    const dir = join(t.testdir({}), 'secrets');
    await ensureSecrets(dir);
    const refused = async (harm: () => void, says: RegExp) => {
      const kept = new Map(readdirSync(dir).map((file) => [file, readFileSync(join(dir, file))]));
      harm();
      const files = () => readdirSync(dir).filter((file) => file !== 'voicemail');
      const before = files().map((file) => readFileSync(join(dir, file), 'utf8'));
      await t.rejects(ensureSecrets(dir), { code: 'keyUnreadable', message: says });
      t.same(
        files().map((file) => readFileSync(join(dir, file), 'utf8')),
        before,
        'left as it was',
      );
      chmodSync(dir, 0o700);
      rmSync(join(dir, 'voicemail'), { recursive: true, force: true });
      for (const [file, bytes] of kept) {
        rmSync(join(dir, file), { force: true });
        writeFileSync(join(dir, file), bytes, { mode: 0o600 });
      }
      await ensureSecrets(dir);
    };
    await refused(() => rmSync(join(dir, 'phi.key')), /phi\.key is missing; restore/);
    await refused(() => truncateSync(join(dir, 'audit-head.key'), 20), /audit-head\.key is damaged/);
    await refused(
      () => writeFileSync(join(dir, 'control.secret'), `${'!'.repeat(43)}\n`),
      /control\.secret is damaged/,
    );
    await refused(() => {
      mkdirSync(join(dir, 'voicemail'), { mode: 0o700 });
      rmSync(join(dir, 'voicemail-master.key'));
    }, /voicemail-master\.key is missing; restore/);
    await refused(() => chmodSync(join(dir, 'phi.key'), 0o640), /phi\.key can be read by other users; run: chmod 600/);
    await refused(() => chmodSync(dir, 0o755), /secrets can be read by other users; run: chmod 700/);
    rmSync(join(dir, 'phi.key'));
    mkdirSync(join(dir, 'phi.key'), { mode: 0o700 });
    await t.rejects(ensureSecrets(dir), { code: 'keyUnreadable', message: /phi\.key is not a key file/ });
  },
);

void t.test(
  'secrets that this user may not read, and a data folder that cannot be written',
  { skip: process.getuid?.() !== 0 && 'needs root to become somebody else' },
  async (t) => {
    const parent = t.testdir({ locked: {} });
    const dir = join(parent, 'secrets');
    await ensureSecrets(dir);
    for (const path of [parent, join(parent, 'locked')]) chmodSync(path, 0o755);
    const asNobody = (target: string) =>
      spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `
      const { ensureSecrets } = await import(${JSON.stringify(join(process.cwd(), 'src/vault/index.ts'))});
      process.setgid(65534); process.setuid(65534);
      await ensureSecrets(${JSON.stringify(target)}).then(() => console.log('opened'), (e) => console.log(e.code, e.message));
    `,
        ],
        { encoding: 'utf8' },
      ).stdout;
    t.match(asNobody(dir), /^keyUnreadable .*cannot be read \(EACCES\)/);
    t.match(asNobody(join(parent, 'locked', 'secrets')), /^keyUnreadable .*cannot be made \(EACCES\); check who owns/);
  },
);

void t.test('sealed texts open only with their key and unaltered', async (t) => {
  const sealer = phiSealer(Buffer.alloc(32, 1));
  const sealed = sealer.seal('Grüße +12025550177');
  t.equal(sealer.open(sealed), 'Grüße +12025550177');
  t.equal(sealer.open(sealer.seal('')), '');
  t.not(sealer.seal('a'), sealer.seal('a'));
  t.notMatch(sealed, /2025550177/);
  t.equal(phiSealer(Buffer.alloc(32, 2)).open(sealed), null);
  for (const bad of ['', 'p1.', 'p1.AAAA', 'plain', sealed.slice(3)]) t.equal(sealer.open(bad), null);
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    const altered = Buffer.from(bytes);
    altered.writeUInt8((altered[i] ?? 0) ^ 1, i);
    if (sealer.open(`p1.${altered.toString('base64url')}`) !== null) t.fail(`byte ${i} can be altered`);
  }
});

void t.test('an exported message encodes back to the very bytes that were recorded', async (t) => {
  t.testdir({});
  for (const encoding of ['PCMU', 'PCMA'] as const) {
    const recorded = Buffer.from(Array.from({ length: 8000 * 2 + 700 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    const path = await seal(t.testdirName, pair.recipient, { encoding, rate: 8000, channels: 1 }, recorded);
    const opened = await openMessage(path, [pair.identity]);
    if (opened.kind !== 'opened') return t.fail(opened.reason);
    const wav = await exported(opened);
    t.equal(wav.toString('latin1', 0, 4), 'RIFF');
    t.equal(wav.readUInt32LE(4), wav.length - 8);
    t.same([wav.readUInt16LE(20), wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt16LE(34)], [1, 1, 8000, 16]);
    t.equal(wav.readUInt32LE(40), recorded.length * 2);
    const encode = encoding === 'PCMU' ? encodeUlaw : encodeAlaw;
    const again = recorded.map((_, i) => encode(wav.readInt16LE(44 + i * 2)));
    // 0x7f is µ-law's second word for zero: the same sound, and an encoder writes it as 0xff.
    const expected = encoding === 'PCMU' ? recorded.map((b) => (b === 0x7f ? 0xff : b)) : recorded;
    t.equal(Buffer.compare(again, expected), 0, encoding);
  }
});

void t.test('a lost segment is silence in its place', async (t) => {
  t.testdir({});
  const recorded = Buffer.concat([Buffer.alloc(8000, 0x10), Buffer.alloc(8000, 0x20), Buffer.alloc(4000, 0x30)]);
  const path = await seal(t.testdirName, pair.recipient, { encoding: 'PCMU', rate: 8000, channels: 1 }, recorded);
  const file = readFileSync(path);
  const second = nthIndexOf(file, 'WSEG', 3);
  file.writeUInt8((file[second + 100] ?? 0) ^ 0xff, second + 100);
  writeFileSync(path, file);
  const opened = await openMessage(path, [pair.identity]);
  if (opened.kind !== 'opened') return t.fail(opened.reason);
  t.same(opened.damaged, [3]);
  const wav = await exported(opened);
  t.equal(wav.length, 44 + recorded.length * 2, 'the rest keeps its time');
  t.not(wav.readInt16LE(44), 0);
  t.equal(wav.readInt16LE(44 + 6000 * 2), 0);
  t.equal(wav.readInt16LE(44 + 11999 * 2), 0);
  t.equal(encodeUlaw(wav.readInt16LE(44 + 12000 * 2)), 0x20, 'three quarters of a second are lost');
  t.equal(encodeUlaw(wav.readInt16LE(44 + 18000 * 2)), 0x30);
});

void t.test('a message that is gone, is not one, or is for somebody else', async (t) => {
  const dir = t.testdir({ 'not.sealed': 'hello' });
  const [ours, theirs] = [newIdentity(), newIdentity()];
  const path = await seal(dir, ours.recipient, { encoding: 'PCMU', rate: 8000, channels: 1 }, Buffer.alloc(80));
  t.match(await openMessage(path, [theirs.identity]), { kind: 'refused', reason: 'wrongKey' });
  t.match(await openMessage(join(dir, 'not.sealed'), [ours.identity]), {
    kind: 'refused',
    reason: 'notSealed',
  });
  await t.rejects(openMessage(join(dir, 'gone'), []), {
    code: 'storeUnavailable',
    message: /gone cannot be read \(ENOENT\); it was/,
  });
  const opened = await openMessage(path, [ours.identity]);
  if (opened.kind !== 'opened') return t.fail(opened.reason);
  const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space')) });
  await t.rejects(exportWav(opened, full), /no space/);
});

async function seal(dir: string, recipient: string, format: AudioFormat, audio: Uint8Array): Promise<string> {
  const pieces: Uint8Array[] = [];
  const writer = await SealedWriter.open({
    recipients: [recipient],
    format,
    metadata: { mailbox: 'cardiology' },
    sink: { append: async (bytes) => void pieces.push(bytes), close: async () => {} },
  });
  writer.push(audio);
  await writer.close();
  const path = join(dir, `${format.encoding satisfies AudioEncoding}.sealed`);
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}

async function exported(message: Parameters<typeof exportWav>[0]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk);
      done();
    },
  });
  await exportWav(message, to);
  return Buffer.concat(pieces);
}

function nthIndexOf(file: Buffer, mark: string, n: number): number {
  let at = -1;
  for (let i = 0; i <= n; i++) at = file.indexOf(mark, at + 1);
  return at;
}

/** Encoders by the decision values of G.711. */
function encodeUlaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32635) + 132;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}

function encodeAlaw(sample: number): number {
  const magnitude = Math.min(sample < 0 ? -sample - 1 : sample, 32767);
  const exponent = magnitude < 256 ? 0 : Math.floor(Math.log2(magnitude)) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
}

void t.test('the recipient of an identity is the one that age names', async (t) => {
  for (let i = 0; i < 20; i++) {
    const identity = await generateX25519Identity();
    t.equal(recipientOf(identity), await identityToRecipient(identity));
    t.throws(() => recipientOf(`${identity.slice(0, -1)}${identity.endsWith('Q') ? 'P' : 'Q'}`), 'one letter is wrong');
  }
  for (const bad of ['', 'AGE-SECRET-KEY-1', recipientOf(await generateX25519Identity())]) {
    t.throws(() => recipientOf(bad), bad);
  }
});
