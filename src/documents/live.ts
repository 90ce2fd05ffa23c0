import type { CompiledPlan } from '../core/dialplan/index.ts';
import { type CompiledRoster, compilingRoster } from '../core/oncall/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Work } from '../core/steps/index.ts';
import {
  type Clock,
  type Documents,
  type DocumentVersion,
  type DocumentVersions,
  FOLDER,
  type Overrides,
  type PlanOrders,
  type RosterFeeds,
} from '../engine/ports.ts';
import { compilingSource, type DocumentReader, type ReadSource } from './document-reader.ts';
import type { DocumentsOptions } from './options.ts';
import { ordered } from './plan-in-force.ts';
import { type DocumentProblem, showProblem } from './problem.ts';
import { fingerprint } from './read-folder.ts';
import { isPlausible, rosterWindow } from './roster-window.ts';
import { inSlices } from './slices.ts';
import { watchFolders } from './watch-folders.ts';

export interface LiveDocumentsParts {
  readonly options: DocumentsOptions;
  /** Closed by whoever made it. */
  readonly reader: Pick<DocumentReader, 'folders' | 'check' | 'prove' | 'overtake'>;
  readonly versions: DocumentVersions;
  readonly overrides: Overrides;
  /** Orders that `wardline plan` gives; without them the folder alone counts. */
  readonly orders?: PlanOrders;
  readonly feeds: RosterFeeds;
  readonly clock: Clock;
  /**
   * A version other than the one before came into force; `changed` says which kinds differ from it. It is empty when
   * files that were refused are again those of the version in force.
   */
  onActivated(version: DocumentVersion, changed: readonly ('plan' | 'roster')[]): void;
  /** The files were changed and cannot be used; what was in force stays so. Told once per change. */
  onRefused(problems: readonly DocumentProblem[]): void;
  /**
   * The changed files are good, but their version could not be kept; a version that nobody can look up later is not put
   * in force. What was in force stays so, and it is tried again with every look. Told once per change.
   */
  onUnsaved(error: unknown): void;
  /** The overrides could not be read; those known before stay in force. Told once each time. */
  onOverridesUnread(error: unknown): void;
  /**
   * What is wrong with the version in force, by its proof: [] when every clinical call ends well for 90 days. Told after
   * the start, and each time that it changes, also because time has passed.
   */
  onProved(faults: readonly DocumentProblem[]): void;
  /** The clock cannot be right: nobody is rung by schedule until it is. Told once each time. */
  onClockImplausible(now: Instant): void;
}

export type StartResult =
  | { readonly kind: 'started'; readonly from: 'files' }
  /** The files cannot be used; the version that was in force last is again. */
  | { readonly kind: 'started'; readonly from: 'lastGood'; readonly problems: readonly DocumentProblem[] }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/** Ready to come into force. */
interface Good {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly version: DocumentVersion;
  /** What the roster is laid out from again every day. */
  readonly source: Pick<ReadSource, 'roster' | 'people'>;
}

/** null: something newer was saved meanwhile, which is looked at next. */
type Loaded =
  | { readonly kind: 'ok'; readonly good: Good }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] }
  | null;

/** A write takes a few of these: truncate, write, rename. */
const SETTLE_MS = 100;
const DAY_MS = 86_400_000;
/** Laying out all shifts of a large roster takes a second: a little at a time, because calls are being decided. */
const SLICE_MS = 2;
const BETWEEN_SLICES_MS = 10;

/**
 * The documents in force, kept in step with their folders. A change is checked as a whole and replaces plan and roster
 * in one assignment, or is refused. Calls hold on to what `current()` gave them when they arrived.
 */
export class LiveDocuments implements Documents {
  readonly #parts: LiveDocumentsParts;
  #stopWatching = (): void => {};
  #good: Good | null = null;
  /** What was read last, with what was ordered in its place. */
  #wanted: DocumentVersion['files'] = [];
  #laidOutAt: Instant = 0 as Instant;
  #order = 0;
  /** Of the files as they were last checked, whatever came of it. */
  #seen = '';
  #timers: { poll: Cancel; settle: Cancel; slice: Cancel } = { poll: null, settle: null, slice: null };
  /** Of the files that are being checked. */
  #looking: string | null = null;
  #checking: Promise<void> | null = null;
  #isRefused = false;
  #isUnsaved = false;
  #isUnread = false;
  #overridesSeen = -1;
  readonly #elder = new WeakMap<CompiledRoster, CompiledRoster>();
  #isClosed = false;
  #proving: Promise<void> = Promise.resolve();
  #renewing: Promise<void> | null = null;
  /** null: nothing was told yet. */
  #toldFaults: string | null = null;

  constructor(parts: LiveDocumentsParts) {
    this.#parts = parts;
  }

  /** Call once. After `refused` nothing is watched and `current()` throws. */
  async start(): Promise<StartResult> {
    this.#seen = await this.#fingerprint();
    const loaded = await this.#load();
    const lastGood = this.#parts.versions.lastGood();
    if (loaded === null) return { kind: 'refused', problems: [] };
    if (loaded.kind === 'ok' && isSame(loaded.good, lastGood)) return this.#startFromFiles(loaded.good, lastGood);
    const before = lastGood && (await this.#compile(lastGood.files, null));
    if (loaded.kind === 'ok') {
      const faults = before?.kind === 'ok' ? await this.#prove(loaded.good, lastGood!.files) : [];
      if (before?.kind !== 'ok' || faults?.length === 0) return this.#startFromFiles(loaded.good, lastGood);
      return this.#startFrom(before.good, lastGood!, faults ?? []);
    }
    const { problems } = loaded;
    if (before?.kind !== 'ok') return { kind: 'refused', problems };
    return this.#startFrom(before.good, lastGood!, problems);
  }

  async #startFromFiles(good: Good, before: DocumentVersion | null): Promise<StartResult> {
    await this.#activate(good, before);
    this.#watch();
    return { kind: 'started', from: 'files' };
  }

  async #startFrom(
    before: Good,
    lastGood: DocumentVersion,
    problems: readonly DocumentProblem[],
  ): Promise<StartResult> {
    await this.#activate(before, lastGood);
    this.#watch();
    this.#refuse(problems);
    return { kind: 'started', from: 'lastGood', problems };
  }

  current(): { readonly plan: CompiledPlan; readonly roster: CompiledRoster } {
    if (this.#good === null) throw new Error('no documents are in force: start() refused or was not called');
    return this.#good;
  }

  upToDate(roster: CompiledRoster): CompiledRoster {
    const now = this.current().roster;
    if (roster === now || roster.overrides === now.overrides) return roster;
    // Of the same version, now laid out around a later day; or of the one before, for calls that outlast it.
    if (roster.version === now.version && roster.window.from === now.window.from) return now;
    const known = this.#elder.get(roster);
    if (known?.overrides === now.overrides) return known;
    const elder = roster.withOverrides(now.overrides);
    this.#elder.set(roster, elder);
    return elder;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timers.poll?.cancel();
    this.#timers.settle?.cancel();
    this.#timers.slice?.cancel();
    this.#stopWatching();
    this.#parts.reader.overtake();
    await this.#checking;
    await this.#proving;
    await this.#renewing;
  }

  #watch(): void {
    const { dialplans, oncall } = this.#parts.options;
    this.#stopWatching = watchFolders([dialplans, oncall], () => this.#settle());
    // Sees what the watch does not.
    this.#poll();
  }

  #poll(): void {
    if (this.#isClosed) return;
    this.#timers.poll = this.#parts.clock.after(this.#parts.options.pollMs, () => {
      this.#keepWindow();
      const before = this.#good;
      this.#lookForOverrides();
      // A duty that was given away may leave a gap.
      if (this.#good !== before) this.#proveLater();
      void this.#fingerprint().then((print) => {
        if (this.#isNews(print) && this.#timers.settle === null) this.#settle();
        this.#poll();
      });
    });
  }

  /** Waits until the writing is over; each notice starts the wait again. */
  #settle(): void {
    if (this.#isClosed) return;
    this.#timers.settle?.cancel();
    this.#timers.settle = this.#parts.clock.after(SETTLE_MS, () => {
      this.#timers.settle = null;
      void this.#look();
    });
  }

  /** Has the files checked if they are others than those known, or being looked at already. */
  async #look(): Promise<void> {
    const print = await this.#fingerprint();
    if (this.#isClosed || !this.#isNews(print)) return;
    // An older save that is still being read, or the proof of what is in force: this one goes before.
    this.#parts.reader.overtake();
    this.#looking = print;
    const check = (this.#checking ?? Promise.resolve()).then(() => this.#check(print));
    this.#checking = check.finally(() => {
      if (this.#looking === print) this.#looking = null;
    });
  }

  #isNews(print: string): boolean {
    return print !== (this.#looking ?? this.#seen);
  }

  async #check(print: string): Promise<void> {
    const isOvertaken = () => this.#isClosed || this.#looking !== print;
    if (isOvertaken()) return;
    // The proof that was overtaken for this is owed still.
    if (print === this.#seen) return this.#proveLater();
    // A store that is locked or full is asked again with the next look.
    const loaded = await this.#load().catch(() => null);
    if (isOvertaken() || loaded === null) return;
    // Written while it was read: what was read may be half of each.
    if ((await this.#fingerprint()) !== print) return this.#settle();
    if (isOvertaken()) return;
    const refused = loaded.kind === 'refused' ? loaded.problems : [];
    const good = loaded.kind === 'ok' ? loaded.good : await this.#goodPart(refused);
    const { next, faults } = await this.#provable(good);
    if (isOvertaken()) return;
    // A proof takes its time, and what was proved may be out of date.
    if ((await this.#fingerprint()) !== print) return this.#settle();
    if (isOvertaken()) return;
    if (next !== null && !(await this.#isActivated(next))) return;
    if (refused.length + faults.length > 0) this.#refuse([...refused, ...faults]);
    if (next === null) this.#proveLater();
    this.#seen = print;
    this.#isUnsaved = false;
  }

  /** What may come into force of it: all, or what is left without the files whose faults it would bring. */
  async #provable(
    good: Good | null,
  ): Promise<{ readonly next: Good | null; readonly faults: readonly DocumentProblem[] }> {
    const inForce = this.#good;
    if (good === null || inForce === null || isSame(good, inForce.version)) return { next: good, faults: [] };
    const faults = (await this.#prove(good, inForce.version.files)) ?? [];
    if (faults.length === 0) return { next: good, faults };
    const rest = await this.#goodPart(faults);
    const ofRest = rest && (await this.#prove(rest, inForce.version.files));
    return { next: ofRest?.length === 0 ? rest : null, faults };
  }

  /**
   * What is wrong with a version; with another one, what it would bring of faults that those files do not have. [] when
   * it is proved, null when something newer was saved.
   */
  async #prove(good: Good, inForce: DocumentVersion['files'] | null): Promise<readonly DocumentProblem[] | null> {
    const now = this.#parts.clock.now();
    // What people changed about who is on call counts for whatever comes into force.
    const overrides = this.#good?.roster.overrides ?? good.roster.overrides;
    const proof = await this.#parts.reader.prove(good.version.files, { now, overrides, inForce });
    if (proof.kind === 'overtaken') return null;
    return proof.kind === 'proved' ? proof.faults : proof.problems;
  }

  #proveLater(): void {
    this.#proving = this.#proving.then(() => this.#proveInForce());
  }

  /** Tells what is wrong with the version in force, if that is news. */
  async #proveInForce(): Promise<void> {
    const good = this.#good;
    if (this.#isClosed || good === null || !isPlausible(this.#parts.clock.now())) return;
    const problems = await this.#prove(good, null);
    if (problems === null || this.#good !== good) return;
    const told = problems.map(showProblem).join('\n');
    if (told === this.#toldFaults) return;
    this.#toldFaults = told;
    this.#parts.onProved(problems);
  }

  /** What is good besides the broken files, if it is anything new. */
  async #goodPart(problems: readonly DocumentProblem[]): Promise<Good | null> {
    const inForce = this.#good?.version;
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
      await this.#activate(good, this.#good?.version ?? null);
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
    this.#layOut(good);
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

  #layOut(good: Good): void {
    const known = this.#good?.roster.overrides ?? [];
    this.#good = { ...good, roster: good.roster.withOverrides(known) };
    this.#overridesSeen = -1;
    this.#lookForOverrides();
    this.#laidOutAt = this.#parts.clock.now();
    if (!isPlausible(this.#laidOutAt)) this.#parts.onClockImplausible(this.#laidOutAt);
    this.#layOutAhead(this.#good.roster);
    this.#proveLater();
  }

  /** Puts what people changed on top of the rules. While the store cannot say, what was known before stays so. */
  #lookForOverrides(): void {
    const { overrides } = this.#parts;
    if (this.#good === null) return;
    try {
      const revision = overrides.revision();
      if (revision === this.#overridesSeen) return;
      const { roster } = this.#good;
      this.#good = { ...this.#good, roster: roster.withOverrides(overrides.list(roster.window.from)) };
      this.#overridesSeen = revision;
      this.#isUnread = false;
    } catch (error) {
      if (!this.#isUnread) this.#parts.onOverridesUnread(error);
      this.#isUnread = true;
    }
  }

  /** So that the first call to a service does not wait for its shifts to be laid out. */
  #layOutAhead(roster: CompiledRoster): void {
    const { clock } = this.#parts;
    this.#timers.slice?.cancel();
    this.#timers.slice = clock.after(BETWEEN_SLICES_MS, () => {
      this.#timers.slice = null;
      const until = clock.monotonicMs() + SLICE_MS;
      while (clock.monotonicMs() < until) if (this.#isClosed || !roster.layOutNext()) return;
      this.#layOutAhead(roster);
    });
  }

  /** Lays the same version out again every day, and when the clock was set. */
  #keepWindow(): void {
    const now = this.#parts.clock.now();
    const isFresh = Math.abs(now - this.#laidOutAt) < DAY_MS && isPlausible(now) === isPlausible(this.#laidOutAt);
    if (isFresh || this.#good === null || this.#renewing !== null) return;
    this.#renewing = this.#renew(this.#good, now).finally(() => {
      this.#renewing = null;
    });
  }

  async #renew(good: Good, now: Instant): Promise<void> {
    const { roster, people } = good.source;
    const again = await this.#inSlices(compilingRoster(roster, people, rosterWindow(now)));
    // Something else has come into force meanwhile, laid out around this day.
    if (again !== null && this.#good?.version === good.version) this.#layOut({ ...this.#good, roster: again });
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
    const compiled = await this.#inSlices(compilingSource(read.source, rosterWindow(at)));
    if (compiled === null) return null;
    const version = { plan: read.plan, roster: read.roster, at, files: read.files };
    return { kind: 'ok', good: { ...compiled, version, source: read.source } };
  }

  #inSlices<T>(work: Work<T>): Promise<T | null> {
    return inSlices(work, this.#parts.clock, () => !this.#isClosed);
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

type Cancel = { cancel(): void } | null;
