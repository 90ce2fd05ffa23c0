import type { ChainStore, HexRow } from '../core/audit/index.ts';
import type { HeadFile } from './head-file.ts';
import { GENESIS, hashHexOf, hexOf, isSame } from './link.ts';
import type { Problem, ProblemKind } from './problem.ts';
import { lastReceipt, type Receipt } from './receipts.ts';
import type { VerifyingKey } from './signing-key.ts';
import { Witness, type WitnessFile } from './witness.ts';

export type Verdict =
  | {
      readonly kind: 'intact';
      readonly entries: number;
      /** Behind the certified head: committed just now, or when Wardline was killed. Chained, but could be cut off unseen. */
      readonly uncertified: number;
      /** The last entry under a signature of this house; 0 without any. */
      readonly signedUpTo: number;
    }
  | { readonly kind: 'broken'; readonly entries: number; readonly problems: readonly Problem[] };

const PAGE_ROWS = 2000;
const MAX_PROBLEMS = 100;
const FIRST_PREV = hexOf(GENESIS.hash);

/** Signed heads to compare with. */
export interface Witnesses {
  readonly key: VerifyingKey;
  readonly files: readonly WitnessFile[];
  /** Where it stands that the beginning was cut off on purpose. */
  readonly receiptPath: string;
}

/** Reads every byte of the chain, a page at a time. Rejects with PortError only when the store cannot be opened. */
export async function verifyChain(store: ChainStore, headFile: HeadFile, witnessed: Witnesses): Promise<Verdict> {
  // Heads are read first: what is appended meanwhile lies behind them.
  const headState = await headFile.read();
  const problems: Problem[] = [];
  const report = (problem: Problem) => void problems.push(problem);
  const { key, files, receiptPath } = witnessed;
  const witnesses: Witness[] = [];
  for (const file of files) {
    const witness = await Witness.open(file, key, report).catch((error: unknown) => {
      report(ofStore('unreadable', `${file.path} cannot be read: ${String(error)}`));
    });
    if (witness !== undefined) witnesses.push(witness);
  }
  const cutOff = await lastReceipt(receiptPath, key);
  // Beside the reading; what it finds is looked at last, and what it throws then too.
  const faults = store.faults();
  faults.catch(() => undefined);
  const walk = new ChainWalk(report, headState.kind === 'certified' ? headState.head.seq : null, cutOff);

  try {
    for (;;) {
      const rows = await read(store, walk.lastRead);
      for (const witness of witnesses) await witness.readUpTo(rows.at(-1)?.seq ?? 0);
      for (const row of rows) {
        walk.take(row);
        for (const witness of witnesses) witness.take(row);
        // Whatever was put in place of this sign reads like it.
        if (hasUnreadable(row) && !(await isThatText(store, row))) report(noText(row));
      }
      if (rows.length < PAGE_ROWS || problems.length > MAX_PROBLEMS) break;
    }
    for (const witness of witnesses) await witness.finish(walk.lastSeq);
    for (const fault of await faults) problems.push(ofStore('unreadable', `the store reports: ${fault}`));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'storeDamaged') throw error;
    const seq = walk.lastSeq + 1;
    problems.push({
      what: 'unreadable',
      seq,
      callId: null,
      says: `entry ${seq} cannot be read: ${(error as Error).message}`,
    });
  }

  switch (headState.kind) {
    case 'missing':
      if (walk.lastSeq > 0)
        problems.push(ofStore('headMissing', 'the certified head is missing: a cut end cannot be ruled out'));
      break;
    case 'forged':
      problems.push(ofStore('headForged', 'the certified head is damaged, or was made without the key'));
      break;
    case 'certified': {
      const { seq, hash } = headState.head;
      if (walk.lastSeq < seq) problems.push(cut(walk.lastSeq + 1, seq));
      else if (seq > 0 && walk.certified !== hexOf(hash)) {
        problems.push({
          what: 'replaced',
          seq,
          callId: walk.certifiedCallId,
          says: `entry ${seq} is not the one that was certified: the chain was replaced, or rewritten at or before it`,
        });
      }
    }
  }
  for (const path of await headFile.evidence()) {
    problems.push(ofStore('headSetAside', `the chain once differed from what was certified; evidence: ${path}`));
  }
  const certifiedSeq = headState.kind === 'certified' ? headState.head.seq : 0;
  if (problems.length > 0) return { kind: 'broken', entries: walk.count, problems: inOrder(problems) };
  const signedUpTo = Math.max(0, ...witnesses.map(({ seq }) => seq));
  return { kind: 'intact', entries: walk.count, uncertified: walk.lastSeq - certifiedSeq, signedUpTo };
}

/** In hex, which is what the store gives fastest. */
async function read(store: ChainStore, afterSeq: number): Promise<readonly HexRow[]> {
  if (store.readHex !== undefined) return store.readHex(afterSeq, PAGE_ROWS);
  const rows = await store.read(afterSeq, PAGE_ROWS);
  return rows.map((row) => ({ ...row, prev: hexOf(row.prev), hash: hexOf(row.hash) }));
}

/** Bytes that are no text are read as this sign, and so are hashed as if it stood there. */
const UNREADABLE = '\ufffd';

function hasUnreadable({ body }: HexRow): boolean {
  return typeof body === 'string' && body.includes(UNREADABLE);
}

async function isThatText(store: ChainStore, { seq, body }: HexRow): Promise<boolean> {
  const bytes = await store.bodyBytes?.(seq);
  return bytes === undefined || (bytes !== null && isSame(bytes, Buffer.from(body)));
}

function noText({ seq, callId }: HexRow): Problem {
  return { what: 'edited', seq, callId, says: `entry ${seq} was edited: its body is no text` };
}

/** By entry, each named once; what is wrong with no single entry comes last. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const ofEntries = new Map<number, Problem>();
  for (const problem of problems) {
    const { seq, what } = problem;
    if (seq === null) continue;
    // What is wrong with the entry itself says more than what is wrong with a checkpoint.
    if (!ofEntries.has(seq) || ofEntries.get(seq)?.what === 'checkpointMissing') ofEntries.set(seq, problem);
    else if (what === 'edited') ofEntries.set(seq, problem);
  }
  const sorted = [...ofEntries.values()].sort((one, other) => (one.seq ?? 0) - (other.seq ?? 0));
  return [...sorted, ...problems.filter(({ seq }) => seq === null)].slice(0, MAX_PROBLEMS);
}

/** Goes along the chain; knows what the next entry must look like. */
class ChainWalk {
  readonly #report: (problem: Problem) => void;
  readonly #certifiedSeq: number | null;
  readonly #cutOff: Receipt | null;
  count = 0;
  lastSeq = 0;
  lastRead = Number.MIN_SAFE_INTEGER;
  /** Hash of the entry that the certified head names. */
  certified: string | null = null;
  certifiedCallId: string | null = null;
  /** What the next entry may name as its predecessor: more than one after an entry whose hash is in doubt. */
  #prev: readonly string[] = [FIRST_PREV];

  constructor(report: (problem: Problem) => void, certifiedSeq: number | null, cutOff: Receipt | null) {
    this.#report = report;
    this.#certifiedSeq = certifiedSeq;
    this.#cutOff = cutOff;
  }

  take(row: HexRow): void {
    if (this.count === 0) this.#begin(row);
    this.count += 1;
    this.lastRead = row.seq;
    if (typeof row.body !== 'string') this.#unlike(row);
    else if (this.#followsIntact(row)) this.#passed(row);
    else this.#examine(row);
  }

  /**
   * The beginning may have been cut off on purpose. Cutting that was interrupted leaves some of what the receipt names;
   * then a checkpoint vouches for the first entry.
   */
  #begin(row: HexRow): void {
    if (this.#cutOff === null || row.seq < 2) return;
    const { to, hash } = this.#cutOff;
    this.lastSeq = Math.min(row.seq - 1, to);
    this.#prev = [row.seq > to ? hash : row.prev];
  }

  /** SQLite keeps whatever it is given, also bytes where a text belongs. */
  #unlike(row: HexRow): void {
    this.#report(noText(row));
    if (row.seq > this.lastSeq) this.#passed(row);
  }

  /** Nearly every entry: nothing about it is in doubt, nor about the one before it. */
  #followsIntact(row: HexRow): boolean {
    const [prev] = this.#prev;
    if (row.seq !== this.lastSeq + 1 || prev === undefined || this.#prev.length > 1) return false;
    return row.prev === prev && hashHexOf(prev, row.body) === row.hash && row.body.startsWith(opening(row));
  }

  #passed(row: HexRow, alsoPossible: readonly string[] = []): void {
    this.#prev = [row.hash, ...alsoPossible];
    this.lastSeq = row.seq;
    if (row.seq === this.#certifiedSeq) {
      this.certified = row.hash;
      this.certifiedCallId = row.callId;
    }
  }

  #examine(row: HexRow): void {
    if (row.seq <= this.lastSeq) {
      // Rows come in order of seq, so this one stands before the first.
      this.#report({ what: 'unlinked', seq: row.seq, callId: row.callId, says: `entry ${row.seq} was inserted` });
      return;
    }
    if (row.seq > this.lastSeq + 1) this.#missing(row);
    const expected = this.#prev.find((prev) => prev === row.prev) ?? this.#prev[0] ?? FIRST_PREV;
    const computed = hashHexOf(expected, row.body);
    this.#check(row, expected, computed);
    this.#passed(row, computed === row.hash ? [] : [computed]);
  }

  #check(row: HexRow, expected: string, computed: string): void {
    const at = { seq: row.seq, callId: row.callId };
    if (computed === row.hash) {
      if (expected !== row.prev)
        this.#report({ ...at, what: 'edited', says: `entry ${row.seq}: its back link was edited` });
      else if (!row.body.startsWith(opening(row))) {
        this.#report({ ...at, what: 'edited', says: `entry ${row.seq}: its time or call was edited beside the body` });
      }
      return;
    }
    if (expected !== row.prev && hashHexOf(row.prev, row.body) === row.hash) {
      const says = `entry ${row.seq} does not follow entry ${row.seq - 1}: one of them was inserted, removed, replaced or moved`;
      this.#report({ ...at, what: 'unlinked', says });
      return;
    }
    this.#report({ ...at, what: 'edited', says: `entry ${row.seq} was edited, inserted or moved` });
  }

  #missing(row: HexRow): void {
    const from = this.lastSeq + 1;
    const many = from === row.seq - 1 ? `entry ${from} is` : `entries ${from} to ${row.seq - 1} are`;
    this.#report({ what: 'removed', seq: from, callId: null, says: `${many} missing` });
    // Whatever was there, the next entry names it.
    this.#prev = [row.prev];
  }
}

/** Calls go on over many entries. */
let lastCall: { readonly callId: string | null; readonly text: string } = { callId: null, text: 'null' };

/** Keys are sorted, so every body of this time and call begins like this (core/audit/canonical.ts). */
function opening(row: HexRow): string {
  if (row.callId !== lastCall.callId) lastCall = { callId: row.callId, text: JSON.stringify(row.callId) };
  return `{"at":${row.at},"callId":${lastCall.text},"fact":`;
}

function cut(from: number, to: number): Problem {
  const many = from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
  return { what: 'removed', seq: from, callId: null, says: `${many} missing at the end: the chain was cut` };
}

function ofStore(what: ProblemKind, says: string): Problem {
  return { what, seq: null, callId: null, says };
}
