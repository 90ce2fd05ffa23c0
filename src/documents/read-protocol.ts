import type { PackedPeople, ShiftOverride } from '../core/oncall/index.ts';
import type { LostWays, PatternTables } from '../core/dialplan/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { DocumentFile } from './document-file.ts';
import type { FeedFinding } from './feeds/look-at-feed.ts';
import type { Piece } from './pieces.ts';
import type { DocumentProblem } from './problem.ts';

/**
 * What the app and the thread that reads its documents say to each other. One job at a time; its answer comes in parts,
 * each of which is asked for, so that the app takes in one at a time and decides calls in between.
 */
export type ToThread =
  /** A document, so that a job can name it by its number; the text goes over once. */
  | { readonly kind: 'put'; readonly slot: number; readonly file: DocumentFile }
  | { readonly kind: 'start'; readonly job: ReadJob }
  | { readonly kind: 'next' };

export type ReadJob =
  | { readonly kind: 'folders'; readonly dialplans: string; readonly oncall: string; readonly firstSlot: number }
  | {
      readonly kind: 'check';
      readonly slots: readonly number[];
      /** Where some files are broken: take these in their place. */
      readonly inForce: readonly number[] | null;
      readonly now: Instant;
    }
  /** What is wrong with a version for 90 days; less what is wrong with the other one already. */
  | {
      readonly kind: 'prove';
      readonly slots: readonly number[];
      readonly inForce: readonly number[] | null;
      readonly overrides: readonly ShiftOverride[];
      readonly now: Instant;
    }
  /** Which feeds they declare. */
  | { readonly kind: 'declared'; readonly slots: readonly number[]; readonly zoneName: string }
  /** What one of these feeds says now. */
  | {
      readonly kind: 'feed';
      readonly slots: readonly number[];
      readonly zoneName: string;
      readonly feed: string;
      readonly before: string | null;
      readonly folder: string;
      readonly now: Instant;
    };

/** What a change would do. */
export interface Proved {
  readonly faults: readonly DocumentProblem[];
  /** What callers have with the version in force and not with this one; null when there is none to compare with. */
  readonly lost: LostWays | null;
}

/** A part of the answer of a job; the last one has `isLast`. */
export type FromThread =
  | { readonly kind: 'file'; readonly slot: number; readonly file: DocumentFile }
  | { readonly kind: 'source'; readonly piece: Piece }
  | { readonly kind: 'people'; readonly people: PackedPeople }
  | { readonly kind: 'tables'; readonly tables: PatternTables }
  | LastPart;

export type LastPart =
  | {
      readonly kind: 'folders';
      readonly isLast: true;
      /** Content hash of the plan in the folder. */
      readonly plan: string;
      readonly problems: readonly DocumentProblem[];
    }
  | {
      readonly kind: 'good';
      readonly isLast: true;
      readonly slots: readonly number[];
      readonly plan: string;
      readonly roster: string;
    }
  | { readonly kind: 'refused'; readonly isLast: true; readonly problems: readonly DocumentProblem[] }
  | ({ readonly kind: 'proved'; readonly isLast: true } & Proved)
  | { readonly kind: 'declared'; readonly isLast: true; readonly feeds: readonly string[] }
  | { readonly kind: 'feed'; readonly isLast: true; readonly finding: FeedFinding };
