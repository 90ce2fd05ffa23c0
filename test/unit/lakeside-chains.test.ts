import { join } from 'node:path';
import t from 'tap';
import { instant } from '../../src/core/time/index.ts';
import { loadDocuments } from '../../src/documents/index.ts';
import { readList } from '../../scripts/prompts/tools.ts';
import { PaperCall } from '../support/paper-phones.ts';

const root = join(import.meta.dirname, '../..');
const texts = ['en/wardline', 'en/asterisk-core-sounds'].map((voice) =>
  join(root, 'src/mediad/prompts', voice, 'texts.yaml'),
);
const now = instant(Date.parse('2026-11-23T18:00:00Z'));

/** The example hospital as it is shipped, on a Monday at noon, played through with silent phones. */
const loaded = await loadDocuments({
  dialplans: join(root, 'dialplans'),
  oncall: join(root, 'oncall'),
  prompts: new Set(texts.flatMap((file) => [...readList(file).keys()])),
  now,
});
if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
const { plan, roster } = loaded;

const chains = {
  7011: { urgent: true, mailbox: 'cardiology', afterS: 65 },
  7012: { urgent: false, mailbox: 'cardiology', afterS: 95 },
  7013: { urgent: false, mailbox: 'cardiology', afterS: 20 },
  7021: { urgent: true, mailbox: 'neurology', afterS: 50 },
  7022: { urgent: false, mailbox: 'neurology', afterS: 70 },
  7023: { urgent: false, mailbox: 'neurology', afterS: 20 },
} as const;

void t.test('every chain reaches its voicemail when nobody answers', async (t) => {
  for (const [number, { urgent, mailbox, afterS }] of Object.entries(chains)) {
    const call = new PaperCall(number, { plan, roster, at: now }).after(afterS - 0.1);
    t.equal(call.fact('nobodyAccepted'), undefined, `${number} still rings`);
    t.ok(call.after(0.1).fact('nobodyAccepted'), `${number} after ${afterS} s`);
    t.match(call.after(10).recording, { urgent, mailbox }, number);
  }
});

void t.test('the main line: a patient who presses nothing reaches the operator, then voicemail', async (t) => {
  const call = new PaperCall('+12025550100', { plan, roster, at: now, fromTrunk: true });
  t.same(call.heard, ['main-greeting', 'main-menu']);
  call.after(22);
  t.same(call.ringing, ['1000']);
  call.after(31);
  t.same(call.heard.slice(-2), ['voicemail-greeting-office', 'beep']);
});

void t.test('the main line: an urgent clinical question goes down the chain', async (t) => {
  const call = new PaperCall('+12025550100', { plan, roster, at: now, fromTrunk: true }).presses('2').presses('1');
  t.same(
    call.factsOf('escalationStarted').map(({ service, urgency }) => [service, urgency]),
    [['cardiology', 'urgent']],
  );
  t.equal(call.ringing.length, 1);
});
