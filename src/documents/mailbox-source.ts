import type { Mailbox } from '../core/dialplan/index.ts';
import type { PlanFile } from './schema/plan-file.ts';
import { durationMs } from './schema/words.ts';

/** A mailbox as it is written; what is not written is left to the rules of core/voicemail. */
export function mailboxOf(id: string, written: NonNullable<PlanFile['mailboxes']>[string]): Mailbox {
  const { name, number, phones, longest, hours } = written;
  const [claimedBy, openTo, most] = [written['claimed-by'], written['open-to'], written['most-messages']];
  return {
    id,
    name,
    ...(claimedBy === undefined ? {} : { claimedBy }),
    ...(number === undefined ? {} : { number }),
    ...(phones === undefined ? {} : { phones }),
    ...(openTo === undefined ? {} : { openTo }),
    ...(most === undefined ? {} : { mostMessages: Number(most) }),
    ...(written['keep-days'] === undefined ? {} : { keepDays: Number(written['keep-days']) }),
    ...(written.notify === undefined ? {} : { notify: written.notify.map(noticeTo) }),
    ...(hours === undefined ? {} : { hours }),
    ...(longest === undefined ? {} : { longestMs: durationMs(longest) }),
  };
}

function noticeTo(
  told: { readonly hook: string; readonly to?: string | undefined } | { readonly email: string },
): NonNullable<Mailbox['notify']>[number] {
  if ('email' in told) return told;
  const { hook, to } = told;
  return { hook, ...(to === undefined ? {} : { to }) };
}
