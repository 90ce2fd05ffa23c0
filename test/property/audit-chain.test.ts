import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '../support/fast-check.ts';
import t from 'tap';
import { digestOf, signCheckpoint } from '../../src/audit-log/checkpoint.ts';
import { HeadFile } from '../../src/audit-log/head-file.ts';
import { link } from '../../src/audit-log/link.ts';
import { signingKey, verifyingKey } from '../../src/audit-log/signing-key.ts';
import type { Problem } from '../../src/audit-log/problem.ts';
import { verifyChain } from '../../src/audit-log/verify.ts';
import {
  canonicalBody,
  canonicalJson,
  type ChainRow,
  type ChainStore,
  markLate,
  readBody,
} from '../../src/core/audit/index.ts';
import { Phi, phi } from '../../src/core/phi/index.ts';

const KEY = Buffer.alloc(32, 3);
const GENESIS = { seq: 0, hash: new Uint8Array(32) };
const seal = (text: string) => Buffer.from(text).toString('base64url');
const open = (sealed: string) => Buffer.from(sealed, 'base64url').toString();
const RUNS = { numRuns: 150 };

/** Strings that editors and copyists get wrong. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('é', 'e\u0301', '"\\\n', '\ud800', '$sealed'),
);
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    text,
    text.map((s) => phi(s)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => !key.startsWith('$') && key !== '__proto__'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;

const entries = fc.array(
  fc.record({ at: fc.nat(), callId: fc.option(fc.constantFrom('K7QX-2M4D', 'A2BC-3DEF')), says: text, step: fc.nat() }),
  { minLength: 1, maxLength: 30 },
);

function chainOf(list: readonly { at: number; callId: string | null; says: string; step: number }[]): ChainRow[] {
  const bodies = list.map(({ at, callId, says, step }, i) => {
    const fact = { fact: 'stepStarted', step, says, dwellMs: 1000 } as const;
    return { at, callId, body: canonicalBody({ id: `boot-${i}`, at, callId, fact, seal }) };
  });
  return [...link(GENESIS, bodies)];
}

function storeOf(rows: readonly ChainRow[]): ChainStore {
  const inOrder = [...rows].sort((a, b) => a.seq - b.seq);
  return {
    head: async () => inOrder.at(-1) ?? GENESIS,
    append: async () => ({ kind: 'appended' }),
    read: async (after, limit) => inOrder.filter((row) => row.seq > after).slice(0, limit),
    ofCall: async () => [],
    faults: async () => [],
  };
}

const house = signingKey(Buffer.alloc(32, 5));

/** What verify says about `harmed` when `whole` was certified; and signed, a checkpoint for every `every` entries. */
async function problems(
  dir: string,
  whole: readonly ChainRow[],
  harmed: readonly ChainRow[],
  every = 0,
): Promise<readonly Problem[]> {
  const headFile = new HeadFile(join(dir, 'audit.head'), KEY);
  const last = whole.at(-1);
  if (last !== undefined) await headFile.write(last);
  await headFile.close();
  const path = join(dir, 'audit.checkpoints');
  writeFileSync(path, every === 0 ? '' : signed(whole, every));
  const witnesses = {
    key: verifyingKey(house.publicKey),
    files: [{ path, isOurs: true }],
    receiptPath: join(dir, 'none'),
  };
  const verdict = await verifyChain(storeOf(harmed), headFile, witnesses);
  return verdict.kind === 'broken' ? verdict.problems : [];
}

function signed(rows: readonly ChainRow[], every: number): string {
  let prev = '';
  let text = '';
  for (let i = 0; i < rows.length; i += every) {
    const covered = rows.slice(i, i + every);
    const { seq, hash } = covered.at(-1) as ChainRow;
    const marks = Buffer.concat(covered.map((row) => row.hash.subarray(0, 8)));
    const checkpoint = signCheckpoint(house, { at: seq, from: i + 1, seq, hash, prev, marks });
    prev = digestOf(checkpoint);
    text += `${JSON.stringify(checkpoint)}\n`;
  }
  return text;
}

/** Puts rows into a sequence without gaps, as somebody would who hides a removal. */
const renumbered = (rows: readonly ChainRow[]): ChainRow[] => rows.map((row, i) => ({ ...row, seq: i + 1 }));

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  const i = at % copy.length;
  copy.writeUInt8((copy[i] ?? 0) ^ (1 + (at % 255)), i);
  return copy;
}

/** Another text of nearly the same bytes; never the same one. */
function flipText(body: string, at: number): string {
  const i = at % body.length;
  const other = String.fromCharCode((body.charCodeAt(i) + 1 + (at % 90)) % 0xd800);
  return body.slice(0, i) + other + body.slice(i + 1);
}

void t.test(
  'the canonical form is one for equal facts, whatever the order of keys or the form of letters',
  async () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null || value instanceof Phi) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, shuffled(member)]),
      );
    };
    fc.assert(
      fc.property(json, (value) => {
        const canonical = canonicalJson(value, seal);
        if (canonical !== canonicalJson(shuffled(value), seal)) return false;
        JSON.parse(canonical);
        return !canonical.includes('\n') && canonical.normalize('NFC') === canonical && canonical.isWellFormed();
      }),
      RUNS,
    );
  },
);

void t.test(
  'a body is read back as it was, sealed values by the key only, and flagging it late is canonical too',
  async (t) => {
    fc.assert(
      fc.property(text, fc.nat(), (name, at) => {
        const wellFormed = name.toWellFormed().normalize('NFC');
        const fact = {
          fact: 'arrived',
          from: 'carrier',
          number: phi(name),
          dialled: '7011',
          peer: 'p',
          sipCallId: 's',
        } as const;
        const body = canonicalBody({ id: 'b-1', at, callId: null, fact, seal });
        const read = readBody(markLate(body), open);
        const closed = readBody(body, () => null);
        const number = read.fact.fact === 'arrived' ? read.fact.number?.reveal() : undefined;
        const hidden = closed.fact.fact === 'arrived' ? closed.fact.number?.reveal() : undefined;
        return (
          number === wellFormed &&
          hidden === '[sealed]' &&
          read.isLate &&
          !closed.isLate &&
          markLate(markLate(body)) === markLate(body)
        );
      }),
      RUNS,
    );
    const body = canonicalBody({ id: 'z', at: 1, callId: 'C', fact: { fact: 'stopped', because: 'x' }, seal });
    t.equal(body, '{"at":1,"callId":"C","fact":{"because":"x","fact":"stopped"},"id":"z"}');
    t.equal(
      markLate(body),
      canonicalJson({ id: 'z', at: 1, callId: 'C', fact: { fact: 'stopped', because: 'x' }, late: true }, seal),
    );
  },
);

void t.test('what has no canonical form is refused; what is too long is cut visibly', async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle['me'] = cycle;
  for (const bad of [
    1.5,
    Number.NaN,
    Infinity,
    -0,
    2 ** 53,
    1n,
    () => 1,
    Symbol('x'),
    undefined,
    [undefined],
    { $sealed: 'x' },
    cycle,
  ]) {
    t.throws(() => canonicalJson(bad, seal), { name: 'CanonicalError' });
  }
  t.ok(canonicalJson('x'.repeat(1_000_000), seal).length < 5000);
  t.match(canonicalJson('x'.repeat(5000), seal), /…\[\+904\]"$/);
  t.match(canonicalJson(Array(600).fill(1), seal), /"…\[\+88\]"\]$/);
  t.equal(canonicalJson({ b: undefined, a: 1 }, seal), '{"a":1}');
});

void t.test('an unharmed chain is intact', async (t) => {
  const dir = t.testdir({});
  await fc.assert(
    fc.asyncProperty(entries, fc.integer({ min: 0, max: 40 }), async (list, every) => {
      return (await problems(dir, chainOf(list), chainOf(list), every)).length === 0;
    }),
    RUNS,
  );
});

/**
 * One harm, and at which entry it must be found: by the certified head alone at one of `at`, under signed checkpoints at
 * `exactly` that one (the first of `at` unless said otherwise). `i`, `j`: places in the chain, `bit`: where in the bytes.
 */
type Harm = (
  rows: readonly ChainRow[],
  i: number,
  j: number,
  bit: number,
) => { rows: readonly ChainRow[]; at: readonly number[]; exactly?: number };

const replaceAt = (rows: readonly ChainRow[], i: number, change: (row: ChainRow) => ChainRow): ChainRow[] =>
  rows.map((row, k) => (k === i ? change(row) : row));

const harms: Readonly<Record<string, Harm>> = {
  'a byte of a body edited': (rows, i, _j, bit) => ({
    rows: replaceAt(rows, i, (row) => ({ ...row, body: flipText(row.body, bit) })),
    at: [i + 1],
  }),
  'a byte of a hash edited': (rows, i, _j, bit) => ({
    rows: replaceAt(rows, i, (row) => ({ ...row, hash: flip(row.hash, bit) })),
    at: [i + 1],
  }),
  'a byte of a back link edited': (rows, i, _j, bit) => ({
    rows: replaceAt(rows, i, (row) => ({ ...row, prev: flip(row.prev, bit) })),
    at: [i + 1],
  }),
  'the time beside a body edited': (rows, i) => ({
    rows: replaceAt(rows, i, (row) => ({ ...row, at: row.at + 1 })),
    at: [i + 1],
  }),
  'the call beside a body edited': (rows, i) => ({
    rows: replaceAt(rows, i, (row) => ({ ...row, callId: row.callId === null ? 'X' : null })),
    at: [i + 1],
  }),
  'an entry edited and its own hash made to fit': (rows, i, _j, bit) => ({
    rows: replaceAt(rows, i, (row) => {
      const after = { seq: row.seq - 1, hash: row.prev };
      return link(after, [{ ...row, body: flipText(row.body, bit) }])[0] ?? row;
    }),
    // It still begins with its time and call, or it does not; the entry behind it does not follow in any case.
    at: [i + 1, i + 2],
    exactly: i + 1,
  }),
  'entries removed': (rows, i, j) => ({
    rows: rows.filter((_, k) => k < Math.min(i, j) || k > Math.max(i, j)),
    at: [Math.min(i, j) + 1],
  }),
  'an entry removed and the rest renumbered': (rows, i) => ({
    rows: renumbered(rows.filter((_, k) => k !== i)),
    // Without the last entry the chain ends one earlier; otherwise the next one does not follow.
    at: [i + 1],
  }),
  'an entry inserted and the rest renumbered': (rows, i, j) => ({
    rows: renumbered([...rows.slice(0, i), ...rows.slice(j, j + 1), ...rows.slice(i)]),
    // A copy put before or behind its own original is seen at the second of the two.
    at: [i + 1, i + 2],
    exactly: i === j ? i + 2 : i + 1,
  }),
  'a well made entry inserted and the rest renumbered': (rows, i) => {
    const before = rows[i - 1] ?? GENESIS;
    const made = link({ seq: i, hash: before.hash }, [
      { at: 5, callId: null, body: '{"at":5,"callId":null,"fact":{},"id":"x"}' },
    ]);
    return { rows: renumbered([...rows.slice(0, i), ...made, ...rows.slice(i)]), at: [i + 1, i + 2], exactly: i + 1 };
  },
  'an entry put before the first': (rows) => ({ rows: [...rows, { ...(rows[0] as ChainRow), seq: -3 }], at: [-3] }),
  'two entries exchanged': (rows, i, j) => {
    const [a, b] = [rows[i] as ChainRow, rows[j] as ChainRow];
    const swapped = replaceAt(
      replaceAt(rows, i, (row) => ({ ...b, seq: row.seq })),
      j,
      (row) => ({ ...a, seq: row.seq }),
    );
    return { rows: swapped, at: i === j ? [] : [Math.min(i, j) + 1] };
  },
  'two bodies exchanged': (rows, i, j) => {
    const [a, b] = [rows[i] as ChainRow, rows[j] as ChainRow];
    const swapped = replaceAt(
      replaceAt(rows, i, (row) => ({ ...row, body: b.body })),
      j,
      (row) => ({ ...row, body: a.body }),
    );
    return { rows: swapped, at: i === j ? [] : [Math.min(i, j) + 1] };
  },
  'the end cut': (rows, i) => ({ rows: rows.slice(0, i), at: [i + 1] }),
  'everything chained anew without the key': (rows, i, _j, bit) => {
    const changed = replaceAt(rows, i, (row) => ({ ...row, body: row.body.replace(/"id":"[^"]*"/, `"id":"${bit}"`) }));
    return { rows: link(GENESIS, changed), at: [rows.length], exactly: i + 1 };
  },
  'another house\u2019s chain in its place': (rows) => ({
    rows: link(
      GENESIS,
      rows.map((row) => ({ ...row, body: `${row.body.slice(0, -2)}!"}` })),
    ),
    at: [rows.length],
    exactly: 1,
  }),
};

for (const [name, harm] of Object.entries(harms)) {
  void t.test(`${name}: found at that entry`, async (t) => {
    const dir = t.testdir({});
    await fc.assert(
      fc.asyncProperty(entries, fc.nat(), fc.nat(), fc.nat(), async (list, a, b, bit) => {
        const whole = chainOf(list);
        const { rows, at, exactly = at[0] } = harm(whole, a % whole.length, b % whole.length, bit);
        const found = await problems(dir, whole, rows);
        const underSignature = await problems(dir, whole, rows, 1 + (bit % 9));
        if (at.length === 0) return found.length + underSignature.length === 0;
        const isFound = found.length > 0 && found.length <= 4 && at.includes(found[0]?.seq ?? Number.NaN);
        return isFound && underSignature[0]?.seq === exactly;
      }),
      { numRuns: 50 },
    );
  });
}
