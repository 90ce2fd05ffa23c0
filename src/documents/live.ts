import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import { type Documents, type DocumentVersion, FOLDER } from '../engine/ports.ts';
import { compilingSource } from './document-reader.ts';
import { FolderNews } from './folder-news.ts';
import { type Good, InForce } from './in-force.ts';
import type { LiveDocumentsParts, StartResult } from './live-parts.ts';
import { ordered } from './plan-in-force.ts';
import { type DocumentProblem, showProblem } from './problem.ts';
import { fingerprint } from './read-folder.ts';
import type { Proved } from './read-protocol.ts';
import { isPlausible, rosterWindow } from './roster-window.ts';
import { inSlices } from './slices.ts';

const NOTHING_SAID: Proved = { faults: [], lost: null };

/** null: something newer was saved meanwhile, which is looked at next. */
type Loaded =
  | { readonly kind: 'ok'; readonly good: Good }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] }
  | null;

/**
 * The documents in force, kept in step with their folders. A change is checked as a whole and replaces plan and roster
 * in one assignment, or is refused. Calls hold on to what `current()` gave them when they arrived.
 */
export class LiveDocuments implements Documents {
  readonly #parts: LiveDocumentsParts;
  readonly #inForce: InForce;
  readonly #news: FolderNews;
  /** What was read last, with what was ordered in its place. */
  #wanted: DocumentVersion['files'] = [];
  #order = 0;
  #checking: Promise<void> | null = null;
  #isRefused = false;
  #isUnsaved = false;
  #isClosed = false;
  #proving: Promise<void> = Promise.resolve();
  /** null: nothing was told yet. */
  #toldFaults: string | null = null;

  constructor(parts: LiveDocumentsParts) {
    this.#parts = parts;
    const { options, overrides, clock } = parts;
    this.#inForce = new InForce({
      overrides,
      clock,
      onOverridesUnread: (error) => parts.onOverridesUnread(error),
      onClockImplausible: (now) => parts.onClockImplausible(now),
      onLaidOut: () => this.#proveLater(),
    });
    this.#news = new FolderNews({
      options,
      clock,
      fingerprint: () => this.#fingerprint(),
      // A duty that was given away may leave a gap.
      onLook: () => this.#inForce.look() && this.#proveLater(),
      onNews: (print) => this.#checkNext(print),
    });
  }

  /** Call once. After `refused` nothing is watched and `current()` throws. */
  async start(): Promise<StartResult> {
    this.#news.isSeen(await this.#fingerprint());
    const loaded = await this.#load();
    const lastGood = this.#parts.versions.lastGood();
    if (loaded === null) return { kind: 'refused', problems: [] };
    if (loaded.kind === 'ok' && isSame(loaded.good, lastGood)) return this.#startFromFiles(loaded.good, lastGood);
    const before = lastGood && (await this.#compile(lastGood.files, null));
    if (loaded.kind === 'ok') {
      if (before?.kind !== 'ok') return this.#startFromFiles(loaded.good, lastGood);
      const proof = await this.#prove(loaded.good, lastGood!.files);
      if (proof?.faults.length !== 0) return this.#startFrom(before.good, lastGood!, proof?.faults ?? []);
      const started = await this.#startFromFiles(loaded.good, lastGood);
      this.#tellLost(proof);
      return started;
    }
    if (before?.kind !== 'ok') return loaded;
    return this.#startFrom(before.good, lastGood!, loaded.problems);
  }

  async #startFromFiles(good: Good, before: DocumentVersion | null): Promise<StartResult> {
    await this.#activate(good, before);
    this.#news.watch();
    return { kind: 'started', from: 'files' };
  }

  async #startFrom(
    before: Good,
    lastGood: DocumentVersion,
    problems: readonly DocumentProblem[],
  ): Promise<StartResult> {
    await this.#activate(before, lastGood);
    this.#news.watch();
    this.#refuse(problems);
    return { kind: 'started', from: 'lastGood', problems };
  }

  current(): { readonly plan: CompiledPlan; readonly roster: CompiledRoster } {
    const { good } = this.#inForce;
    if (good === null) throw new Error('no documents are in force: start() refused or was not called');
    return good;
  }

  upToDate(roster: CompiledRoster): CompiledRoster {
    return this.#inForce.upToDate(roster, this.current().roster);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#news.close();
    this.#parts.reader.overtake();
    await this.#checking;
    await this.#proving;
    await this.#inForce.close();
  }

  #checkNext(print: string): void {
    // An older save that is still being read, or the proof of what is in force: this one goes before.
    this.#parts.reader.overtake();
    const check = (this.#checking ?? Promise.resolve()).then(() => this.#check(print));
    this.#checking = check.finally(() => this.#news.isOver(print));
  }

  async #check(print: string): Promise<void> {
    const isOvertaken = () => this.#isClosed || this.#news.looking !== print;
    if (isOvertaken()) return;
    // The proof that was overtaken for this is owed still.
    if (print === this.#news.seen) return this.#proveLater();
    // A store that is locked or full is asked again with the next look.
    const loaded = await this.#load().catch(() => null);
    if (isOvertaken() || loaded === null) return;
    // Written while it was read: what was read may be half of each.
    if ((await this.#fingerprint()) !== print) return this.#news.settle();
    if (isOvertaken()) return;
    const refused = loaded.kind === 'refused' ? loaded.problems : [];
    const good = loaded.kind === 'ok' ? loaded.good : await this.#goodPart(refused);
    const { next, faults, lost } = await this.#provable(good);
    if (isOvertaken()) return;
    // A proof takes its time, and what was proved may be out of date.
    if ((await this.#fingerprint()) !== print) return this.#news.settle();
    if (isOvertaken()) return;
    if (next !== null && !(await this.#isActivated(next))) return;
    this.#tellLost({ lost });
    if (refused.length + faults.length > 0) this.#refuse([...refused, ...faults]);
    if (next === null) this.#proveLater();
    this.#news.isSeen(print);
    this.#isUnsaved = false;
  }

  /** What may come into force of it: all, or what is left without the files whose faults it would bring. */
  async #provable(good: Good | null): Promise<{ readonly next: Good | null } & Proved> {
    const inForce = this.#inForce.good;
    if (good === null || inForce === null || isSame(good, inForce.version)) {
      return { next: good, faults: [], lost: null };
    }
    const { faults, lost } = (await this.#prove(good, inForce.version.files)) ?? NOTHING_SAID;
    if (faults.length === 0) return { next: good, faults, lost };
    const rest = await this.#goodPart(faults);
    const ofRest = rest && (await this.#prove(rest, inForce.version.files));
    return ofRest?.faults.length === 0 ? { next: rest, faults, lost: ofRest.lost } : { next: null, faults, lost: null };
  }

  /**
   * What is wrong with a version; with another one, what it would bring of faults that those files do not have, and what
   * it would take away. No faults when it is proved, null when something newer was saved.
   */
  async #prove(good: Good, inForce: DocumentVersion['files'] | null): Promise<Proved | null> {
    const now = this.#parts.clock.now();
    // What people changed about who is on call counts for whatever comes into force.
    const overrides = this.#inForce.good?.roster.overrides ?? good.roster.overrides;
    const proof = await this.#parts.reader.prove(good.version.files, { now, overrides, inForce });
    if (proof.kind === 'overtaken') return null;
    return proof.kind === 'proved' ? proof : { faults: proof.problems, lost: null };
  }

  #tellLost({ lost }: Pick<Proved, 'lost'>): void {
    if (lost !== null && lost.numbers.length + lost.services.length > 0) this.#parts.onWaysLost?.(lost);
  }

  #proveLater(): void {
    this.#proving = this.#proving.then(() => this.#proveInForce());
  }

  /** Tells what is wrong with the version in force, if that is news. */
  async #proveInForce(): Promise<void> {
    const good = this.#inForce.good;
    if (this.#isClosed || good === null || !isPlausible(this.#parts.clock.now())) return;
    const proof = await this.#prove(good, null);
    if (proof === null || this.#inForce.good !== good) return;
    const problems = proof.faults;
    const told = problems.map(showProblem).join('\n');
    if (told === this.#toldFaults) return;
    this.#toldFaults = told;
    this.#parts.onProved(problems);
  }

  /** What is good besides the broken files, if it is anything new. */
  async #goodPart(problems: readonly DocumentProblem[]): Promise<Good | null> {
    const inForce = this.#inForce.good?.version;
    if (inForce === undefined || this.#wanted.length === 0) return null;
    // A folder that cannot be read says nothing about what its documents ought to be.
    if (problems.some(({ file }) => this.#wanted.every(({ path }) => path !== file))) return null;
    const broken = new Set(problems.map(({ file }) => file));
    const rest = this.#wanted.flatMap((file) => {
      return broken.has(file.path) ? inForce.files.filter(({ path }) => path === file.path) : [file];
    });
    const part = await this.#compile(rest, inForce.files);
    if (part?.kind !== 'ok') return null;
    return isSame(part.good, inForce) ? null : part.good;
  }

  /** False when the version could not be kept; the files then still count as not seen. */
  async #isActivated(good: Good): Promise<boolean> {
    try {
      await this.#activate(good, this.#inForce.good?.version ?? null);
      return true;
    } catch (error) {
      if (!this.#isUnsaved) this.#parts.onUnsaved(error);
      this.#isUnsaved = true;
      return false;
    }
  }

  async #activate(good: Good, before: DocumentVersion | null): Promise<void> {
    const { version } = good;
    const changed = (['plan', 'roster'] as const).filter((kind) => version[kind] !== before?.[kind]);
    // Attest first: what cannot be kept does not come into force.
    if (changed.length > 0) {
      await this.#parts.versions.save(version);
      const files = version.files.filter(({ kind }) => kind === 'plan');
      await this.#parts.orders?.keep({ version: version.plan, at: version.at, author: FOLDER, files });
      this.#orderFirst(version);
    }
    this.#inForce.put(good);
    if (changed.length > 0 || this.#isRefused) this.#parts.onActivated(version, changed);
    this.#isRefused = false;
  }

  /** Where versions are activated by hand, the first of all is what the folder holds at the first start. */
  #orderFirst({ plan, at }: DocumentVersion): void {
    const { options, orders } = this.#parts;
    if (options.activation !== 'manual' || orders === undefined || orders.newest() !== null) return;
    orders.order({ version: plan, at, author: FOLDER, how: 'activate', insteadOf: null });
  }

  #refuse(problems: readonly DocumentProblem[]): void {
    this.#isRefused = true;
    this.#parts.onRefused(problems);
  }

  async #load(): Promise<Loaded> {
    const { options, orders, feeds, reader } = this.#parts;
    const read = await reader.folders(options);
    if (read.kind !== 'folders') return read.kind === 'refused' ? read : null;
    const { files, problems } = read;
    const chosen = ordered(read, options.activation, orders);
    this.#wanted = [...chosen, ...feeds.documents()];
    // A version that was ordered is in force whatever the folder of the plan looks like.
    const isOrdered = chosen !== files;
    const inTheWay = isOrdered ? problems.filter(({ file }) => !file.startsWith(options.dialplans)) : problems;
    if (inTheWay.length > 0) return { kind: 'refused', problems: inTheWay };
    return this.#compile(this.#wanted, null);
  }

  async #compile(files: DocumentVersion['files'], inForce: DocumentVersion['files'] | null): Promise<Loaded> {
    const at = this.#parts.clock.now();
    const read = await this.#parts.reader.check(files, { now: at, inForce });
    if (read.kind !== 'good') return read.kind === 'refused' ? read : null;
    const compiled = await inSlices(
      compilingSource(read.source, rosterWindow(at)),
      this.#parts.clock,
      () => !this.#isClosed,
    );
    if (compiled === null) return null;
    const version = { plan: read.plan, roster: read.roster, at, files: read.files };
    return { kind: 'ok', good: { ...compiled, version, source: read.source } };
  }

  /** Of the newest order; while the store does not answer, the one that was seen last. */
  #orderId(): number {
    try {
      this.#order = this.#parts.orders?.newest()?.id ?? 0;
    } catch {
      // The next look asks again.
    }
    return this.#order;
  }

  async #fingerprint(): Promise<string> {
    const { dialplans, oncall } = this.#parts.options;
    const { feeds } = this.#parts;
    const folders = `${await fingerprint(dialplans)}\n${await fingerprint(oncall)}`;
    return `${feeds.revision()}\n${folders}\n${this.#orderId()}`;
  }
}

function isSame({ version }: Good, other: DocumentVersion | null): boolean {
  return version.plan === other?.plan && version.roster === other.roster;
}
