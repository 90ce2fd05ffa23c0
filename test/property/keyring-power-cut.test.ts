import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type KeyOwner, Keyring } from '../../src/vault/index.ts';
import { FaultDisk } from '../support/fault-disk.ts';
import { CUTS, cuts, randomFrom } from '../support/power-cut.ts';

/** Power cuts and faults of the disk while keys are made, shredded and sealed with another master key; as audit-power-cut. */
const MASTER = Buffer.alloc(32, 7);
const NEXT = Buffer.alloc(32, 8);
const ward: KeyOwner = { kind: 'unit', id: 'ward-4b' };
const mailbox: KeyOwner = { kind: 'mailbox', id: '3101' };

const named = (keyId: string, what: string) => `${what} ${keyId}`;

/** What is in the folder at the end of a life, or of what a power cut has left of one. */
function opened(folder: string): { readonly ring: Keyring; readonly opens: readonly string[] } {
  // A change of the master key that was interrupted leaves some keys with each, and the next one finishes it.
  const ring = Keyring.open(folder, MASTER);
  if (ring.foreign().length > 0) ring.changeMaster(NEXT);
  const used = ring.foreign().length > 0 ? Keyring.open(folder, NEXT) : ring;
  return {
    ring: used,
    opens: used.keys.flatMap(({ keyId }) => (used.identities([keyId]).length === 1 ? [keyId] : [])),
  };
}

/** Keys come, go and change hands; `say` is told of what is promised. */
function live(folder: string, say: (what: string) => void): void {
  const ring = Keyring.open(folder, MASTER);
  for (const owner of [ward, mailbox, ward]) say(named(ring.make(owner, 1).keyId, 'made'));
  const [old] = ring.keys.filter(({ kind }) => kind === 'unit');
  if (old === undefined) throw new Error('no key');
  ring.shred(old);
  say(named(old.keyId, 'shredded'));
  ring.changeMaster(NEXT);
  say('changed');
}

void t.test(`${CUTS} power cuts: no key that was made is lost, none that was shredded comes back`, (t) => {
  const dir = t.testdir({ lived: {}, cut: {} });
  const folder = join(dir, 'lived', 'keys');
  mkdirSync(folder, { mode: 0o700 });
  const disk = new FaultDisk(folder);
  try {
    live(folder, (what) => disk.say(what));
  } finally {
    disk.restore();
  }
  t.ok(disk.steps > 40, `${disk.steps} steps`);
  const found = new Map<string, number>();
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    const { files, said } = disk.cut(Math.floor(random() * (disk.steps + 1)), random);
    const left = join(dir, 'cut', 'keys');
    rmSync(left, { recursive: true, force: true });
    mkdirSync(left, { mode: 0o700 });
    for (const [name, bytes] of files) writeFileSync(join(left, name), bytes, { mode: 0o600 });
    try {
      const { ring, opens } = opened(left);
      const made = said.filter((what) => what.startsWith('made')).map((what) => what.slice(5));
      const gone = new Set(said.filter((what) => what.startsWith('shredded')).map((what) => what.slice(9)));
      const lost = made.filter((keyId) => !gone.has(keyId) && !opens.includes(keyId));
      // The one that is about to go may be gone before anybody was told.
      const isGoing = lost.length === 1 && lost[0] === made[0] && made.length === 3;
      if (lost.length > 0 && !isGoing) t.fail(`seed ${seed}: lost ${lost.join()}`, { said });
      if (ring.keys.some(({ keyId }) => gone.has(keyId))) t.fail(`seed ${seed}: a shredded key is back`);
      if (ring.keys.length !== opens.length) t.fail(`seed ${seed}: a key does not open`);
      if (readdirSync(left).some((name) => name.endsWith('.going'))) t.fail(`seed ${seed}: a key is half gone`);
      found.set(said.join().replaceAll(/ [^,]+/g, ''), 1);
    } catch (error) {
      t.fail(`seed ${seed}: ${String(error)}`, { said, files: [...files.keys()] });
    }
  }
  t.ok(found.size > 4, 'cuts between all promises were tried');
  t.end();
});

void t.test('a disk that refuses any of it leaves every key that there was; the next try does the rest', (t) => {
  const dir = t.testdir({});
  for (const [code, isDead] of [
    ['EIO', false],
    ['SHORT', false],
    ['ENOSPC', true],
    ['EROFS', true],
  ] as const) {
    for (let call = 1; ; call++) {
      const folder = join(dir, `${code}-${isDead}-${call}`);
      mkdirSync(folder, { mode: 0o700 });
      const disk = new FaultDisk(folder);
      const made: string[] = [];
      const gone: string[] = [];
      let isOver = false;
      disk.refuse(call, code, isDead);
      try {
        live(folder, (what) => (what.startsWith('made') ? made.push(what.slice(5)) : gone.push(what)));
        isOver = disk.calls < call;
      } catch (error) {
        const { code: said } = error as { code?: string };
        if (said !== 'keyUnreadable' && said !== 'ENOSPC' && said !== code) t.fail(`call ${call}: ${String(error)}`);
      } finally {
        disk.restore();
      }
      const { ring, opens } = opened(folder);
      const lost = made.filter((keyId) => !opens.includes(keyId));
      const isShredded = made.length === 3 && lost.length === 1 && lost[0] === made[0];
      if (lost.length > 0 && !isShredded) t.fail(`${code} at call ${call}: lost ${lost.join()}`);
      if (ring.keys.length !== opens.length) t.fail(`${code} at call ${call}: a key does not open`);
      if (isOver) {
        t.ok(call > 20, `${code}: ${call - 1} calls refused one by one`);
        break;
      }
      // Half a life is gone on with.
      const key = ring.make(mailbox, 2);
      if (Keyring.open(folder, ring.foreign().length > 0 ? NEXT : MASTER).known(key.keyId) === undefined)
        t.fail(`${code} at call ${call}: no key can be made any more`);
    }
  }
  t.end();
});

void t.test('what a key was is not in its file any more when it has been shredded', (t) => {
  const folder = join(t.testdir({}), 'keys');
  mkdirSync(folder, { mode: 0o700 });
  const disk = new FaultDisk(folder);
  const ring = Keyring.open(folder, MASTER);
  const key = ring.make(ward, 1);
  const before = readFileSync(join(folder, 'unit.ward-4b.1.key'));
  const end = disk.steps;
  ring.shred(key);
  disk.restore();
  // Between the last sync of its bytes and its going: under whatever name, they are others.
  const seen = Array.from({ length: disk.steps - end + 1 }, (_, i) => disk.cut(end + i, () => 0.9).files);
  const holds = seen.map((files) => [...files.values()].some((bytes) => bytes.equals(before)));
  t.equal(holds[0], true, 'the scan finds it');
  t.equal(holds.at(-1), false);
  t.ok(seen.every((files) => [...files].every(([name, bytes]) => !name.endsWith('.key') || bytes.equals(before))));
  t.end();
});
