import type { LostWays } from '../core/dialplan/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Clock, DocumentVersion, DocumentVersions, Overrides, PlanOrders, RosterFeeds } from '../engine/ports.ts';
import type { DocumentReader } from './document-reader.ts';
import type { DocumentsOptions } from './options.ts';
import type { DocumentProblem } from './problem.ts';

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
  /** What came into force takes something away from callers. It may be meant; nobody should find out by dialling. */
  onWaysLost?(lost: LostWays): void;
  /** The clock cannot be right: nobody is rung by schedule until it is. Told once each time. */
  onClockImplausible(now: Instant): void;
}

export type StartResult =
  | { readonly kind: 'started'; readonly from: 'files' }
  /** The files cannot be used; the version that was in force last is again. */
  | { readonly kind: 'started'; readonly from: 'lastGood'; readonly problems: readonly DocumentProblem[] }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };
