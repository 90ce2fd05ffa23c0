import type { VerbRules } from './rules.ts';

/** Lets the caller listen to messages, for a PIN. */
export const mailbox: VerbRules<'mailbox'> = {
  check() {
    // Both words are checked by their shape, and which mailbox it is shows when somebody calls.
  },
  ways: () => [],
  says: ({ whose }) => (whose === 'own' ? 'open the mailbox of this phone' : 'open a mailbox by number and PIN'),
  brief: ({ whose }) => `mailbox ${whose}`,
};
