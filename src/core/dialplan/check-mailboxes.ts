import { isExtensionNumber, type Problems } from '../oncall/index.ts';
import type { Mailbox, PlanSource } from './model.ts';
import type { KnownNames } from './verbs/index.ts';
import { checkName, checkTime } from './verbs/rules.ts';

const MOST_MESSAGES = 1_000;
const LONGEST_MS = 15 * 60_000;

/** What is wrong with the mailboxes, besides their ids. */
export function checkMailboxes({ mailboxes }: PlanSource, names: KnownNames, problems: Problems): void {
  const owners = new Map<string, string>();
  const numbers = new Map<string, string>();
  for (const box of mailboxes) {
    const at = `mailboxes.${box.id}`;
    const { claimedBy, phones = [], mostMessages, longestMs, number, keepDays } = box;
    if (claimedBy !== undefined) checkName('extension', claimedBy, names.extensions, `${at}.claimed-by`, problems);
    for (const [i, phone] of phones.entries()) {
      checkName('extension', phone, names.extensions, `${at}.phones.${i}`, problems);
      // A phone has one lamp, and *97 opens one mailbox.
      checkOnce(owners, phone, box.id, `${at}.phones.${i}`, `phone ${phone}`, problems);
    }
    if (number !== undefined && !isExtensionNumber(number)) {
      problems.add(`${at}.number`, `"${number}" cannot be keyed as a mailbox`, 'use 2 to 15 digits: 3101');
    }
    const keyed = number ?? (isExtensionNumber(box.id) ? box.id : null);
    if (keyed !== null) checkOnce(numbers, keyed, box.id, `${at}.number`, `number ${keyed}`, problems);
    if (mostMessages !== undefined && (mostMessages < 1 || mostMessages > MOST_MESSAGES)) {
      problems.add(`${at}.most-messages`, `a mailbox of ${mostMessages} messages`, `use 1 to ${MOST_MESSAGES}`);
    }
    if (longestMs !== undefined) checkTime(longestMs, `${at}.longest`, problems, LONGEST_MS);
    if (keepDays === 0) problems.add(`${at}.keep-days`, 'messages that are kept for no day', 'use 1 to 9999');
    for (const [i, told] of (box.notify ?? []).entries()) {
      if ('email' in told) continue;
      checkName('hook', told.hook, names.hooks, `${at}.notify.${i}.hook`, problems);
    }
    if (box.hours !== undefined) checkName('hours', box.hours, names.hours, `${at}.hours`, problems);
    checkOpenTo(box, names, at, problems);
  }
}

function checkOpenTo({ id, openTo = [] }: Mailbox, names: KnownNames, at: string, problems: Problems): void {
  for (const [i, person] of openTo.entries()) {
    checkName('mailbox', person, names.mailboxes, `${at}.open-to.${i}`, problems);
    if (person !== id) continue;
    problems.add(`${at}.open-to.${i}`, 'a mailbox cannot be its own person', 'name the mailboxes of people');
  }
}

function checkOnce(
  taken: Map<string, string>,
  key: string,
  id: string,
  at: string,
  what: string,
  problems: Problems,
): void {
  const other = taken.get(key);
  if (other === undefined) taken.set(key, id);
  else problems.add(at, `${what} belongs to the mailbox ${other} already`, 'give each mailbox its own');
}
