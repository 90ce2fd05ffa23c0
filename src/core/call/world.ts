import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { Greetings } from '../voicemail/greetings.ts';

/**
 * Read-only snapshot a step decides with. Plan and roster are those in force when the call arrived and stay so until
 * it ends, but that the roster learns of overrides as they are made; `at` and the answers about phones and trunks are of
 * this very event. Within a call `at` never goes back.
 */
export interface World {
  readonly at: Instant;
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  isRegistered(extension: string): boolean;
  /** null: usable; otherwise why not, in words for the audit. */
  trunkFault(trunk: string): string | null;
  /** How often a ring group was rung before, for the one that begins; without it, never. */
  groupTurns?(group: string): number;
  /** Messages in a mailbox that nobody has deleted; without it, none. */
  messagesIn?(mailbox: string): number;
  /** false: there is no room on the disk for another message. Without it, there is. */
  hasRoomToRecord?(): boolean;
  /** Greetings that were recorded for a mailbox; without it, none. */
  greetingsOf?(mailbox: string): Greetings;
}
