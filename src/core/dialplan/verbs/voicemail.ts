import { checkName, checkPrompts, type VerbRules } from './rules.ts';

/** Takes a message. */
export const voicemail: VerbRules<'voicemail'> = {
  check(verb, at, names, problems) {
    checkName('mailbox', verb.mailbox, names.mailboxes, `${at}.mailbox`, problems);
    checkPrompts(verb.greeting, `${at}.greeting`, names, problems);
  },
  ways: () => [],
  says(verb, plan) {
    const name = plan.mailbox(verb.mailbox)?.name ?? verb.mailbox;
    return `take ${verb.urgent ? 'an urgent' : 'a'} message for the mailbox of ${name}`;
  },
  brief: ({ mailbox }) => `voicemail ${mailbox}`,
};
