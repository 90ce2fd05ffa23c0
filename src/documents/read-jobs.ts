import { lostWays } from '../core/dialplan/index.ts';
import { packPeople } from '../core/oncall/index.ts';
import { never } from '../core/never.ts';
import { type DocumentFile, versionOf } from './document-file.ts';
import { compileFiles, compileGoodFiles, type LoadResult, readFolders } from './load.ts';
import type { DeclaredFeed } from './feeds/index.ts';
import { inPieces } from './pieces.ts';
import { faultsBrought } from './prove.ts';
import type { FromThread, LastPart, ReadJob } from './read-protocol.ts';

type Good = Extract<LoadResult, { kind: 'ok' }>;
type Parts = AsyncGenerator<FromThread, void>;

/** Candidate and version in force, for the proof that follows a check. */
const MAX_COMPILED = 2;

/** What the thread does: all work on documents whose amount is up to their author. */
export class ReadJobs {
  readonly #prompts: ReadonlySet<string>;
  readonly #files = new Map<number, DocumentFile>();
  readonly #compiled = new Map<string, Good>();
  #feeds: { readonly of: string; readonly declared: readonly DeclaredFeed[] } | null = null;

  constructor(prompts: ReadonlySet<string>) {
    this.#prompts = prompts;
  }

  put(slot: number, file: DocumentFile): void {
    this.#files.set(slot, file);
  }

  do(job: ReadJob): Parts {
    switch (job.kind) {
      case 'folders':
        return this.#folders(job);
      case 'check':
        return this.#check(job);
      case 'prove':
        return this.#prove(job);
      case 'declared':
        return this.#declared(job);
      case 'feed':
        return this.#feed(job);
      default:
        return never(job);
    }
  }

  async *#folders(job: Extract<ReadJob, { kind: 'folders' }>): Parts {
    const { files, problems } = await readFolders(job);
    for (const [i, file] of files.entries()) {
      const slot = job.firstSlot + i;
      this.put(slot, file);
      yield { kind: 'file', slot, file };
    }
    yield { kind: 'folders', isLast: true, plan: versionOf('plan', files), problems };
  }

  async *#check({ slots, inForce, now }: Extract<ReadJob, { kind: 'check' }>): Parts {
    const files = this.#filesAt(slots);
    const result =
      inForce === null
        ? compileFiles(files, { prompts: this.#prompts, now })
        : compileGoodFiles(files, this.#filesAt(inForce), { prompts: this.#prompts, now });
    if (result.kind === 'refused') {
      yield { kind: 'refused', isLast: true, problems: result.problems };
      return;
    }
    const slotOf = new Map([...this.#files].map(([slot, file]) => [file, slot]));
    const used = result.files.map((file) => slotOf.get(file)!);
    this.#remember(used, result);
    const { plan, roster } = result.version;
    yield* sourceParts(result.source, { kind: 'good', isLast: true, slots: used, plan, roster });
  }

  async *#prove({ slots, inForce, overrides, now }: Extract<ReadJob, { kind: 'prove' }>): Parts {
    const withOverrides = (good: Good) => ({ ...good, roster: good.roster.withOverrides(overrides) });
    const candidate = withOverrides(this.#compile(slots, now));
    const before = () => inForce && withOverrides(this.#compile(inForce, now));
    const faults = faultsBrought(candidate, before, now);
    const lost = inForce && lostWays(this.#compile(inForce, now).plan, candidate.plan);
    yield { kind: 'proved', isLast: true, faults, lost };
  }

  async *#declared({ slots, zoneName }: Extract<ReadJob, { kind: 'declared' }>): Parts {
    const feeds = (await this.#feedsOf(slots, zoneName)).map(({ id }) => id);
    yield { kind: 'declared', isLast: true, feeds };
  }

  async *#feed({ slots, zoneName, feed, before, folder, now }: Extract<ReadJob, { kind: 'feed' }>): Parts {
    const { lookAtFeed } = await import('./feeds/index.ts');
    const declared = (await this.#feedsOf(slots, zoneName)).find(({ id }) => id === feed);
    if (declared === undefined) throw new Error(`feed ${feed} is not declared`);
    const { finding } = await lookAtFeed(declared, { before, folder, now });
    yield { kind: 'feed', isLast: true, finding };
  }

  /** All feeds of a version are asked for one after the other. */
  async #feedsOf(slots: readonly number[], zoneName: string): Promise<readonly DeclaredFeed[]> {
    const of = `${zoneName} ${slots.join()}`;
    if (this.#feeds?.of === of) return this.#feeds.declared;
    // Most houses have no feeds, and their thread starts sooner without the libraries.
    const { declaredFeeds } = await import('./feeds/index.ts');
    const declared = declaredFeeds(this.#filesAt(slots), zoneName);
    this.#feeds = { of, declared };
    return declared;
  }

  /** Of files that were good before. */
  #compile(slots: readonly number[], now: Good['version']['at']): Good {
    const known = this.#compiled.get(slots.join());
    if (known !== undefined) return known;
    const result = compileFiles(this.#filesAt(slots), { prompts: this.#prompts, now });
    if (result.kind === 'refused') throw new Error('what was good is good no more');
    this.#remember(slots, result);
    return result;
  }

  #remember(slots: readonly number[], good: Good): void {
    this.#compiled.set(slots.join(), good);
    for (const oldest of this.#compiled.keys()) {
      if (this.#compiled.size <= MAX_COMPILED) break;
      this.#compiled.delete(oldest);
    }
  }

  #filesAt(slots: readonly number[]): readonly DocumentFile[] {
    return slots.map((slot) => {
      const file = this.#files.get(slot);
      if (file === undefined) throw new Error(`document ${slot} was not sent`);
      return file;
    });
  }
}

/** Checked sources on their way to the app: people as a book, patterns as tables, all else in pieces. */
export async function* sourceParts({ roster, plan, tables }: Good['source'], last: LastPart): Parts {
  yield { kind: 'people', people: packPeople(roster.people) };
  for (const { exact, next, winners } of tables) {
    // They change hands, and the proof here needs its own.
    yield { kind: 'tables', tables: { exact: exact.slice(), next: next.slice(), winners: winners.slice() } };
  }
  for (const piece of inPieces({ roster: { ...roster, people: [] }, plan })) yield { kind: 'source', piece };
  yield last;
}
