import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import type { LadderQuestion, Rung } from '../sipd/options.ts';
import { asWritten, isCallId } from './call-id.ts';
import { auditReader } from './audit-reader.ts';
import { askForLadder, type ServerLadder } from './call-ladder.ts';
import type { CommonOptions } from './command-line.ts';
import { drawLadder, placeOf } from './draw-ladder.ts';
import { dataFolders } from './folders.ts';
import { remembered } from './remembered.ts';
import { done, Refusal, type Report } from './report.ts';
import { siteConfig, siteStore } from './site.ts';
import { siteClock } from './site-documents.ts';
import type { DaemonRecord } from './supervise/launch-plan.ts';
import { readJson } from './supervise/run-files.ts';

/** What the SIP of a call was, message by message, as the signalling server still remembers it. */
export async function callLadder(given: string, options: CommonOptions & { messages?: boolean }): Promise<Report> {
  const asked = siteConfig(options);
  // The servers are those that the house runs with.
  const config = remembered(asked.data)?.config ?? asked;
  const { store, secrets } = await siteStore(config, 'reader');
  try {
    const question = isCallId(asWritten(given))
      ? await ofOurCall(asWritten(given), async (callId) => auditReader(config, store, secrets).ofCall(callId))
      : { callIds: [given], prefix: undefined };
    const answers = await askForLadder(config, question);
    const rungs = answers
      .flatMap(({ answer }) => (typeof answer === 'string' ? [] : answer.rungs))
      .toSorted((a, b) => a.atMs - b.atMs);
    const clock = await siteClock(config, store);
    const shown = (atMs: number): string => clock.show(instant(atMs));
    if (rungs.length === 0) throw new Refusal(nothing(given, answers, shown));
    const { parties, lines, labels } = drawLadder(rungs, roles(config));
    const notes = [
      ...answers.flatMap(({ answer }) => (typeof answer === 'string' ? [answer] : [])),
      ...(answers.some(({ answer }) => typeof answer !== 'string' && answer.isCut)
        ? [`There is more: these are the first ${rungs.length} messages.`]
        : []),
      clock.note,
    ];
    const startedAt = rungs[0]?.atMs ?? 0;
    return done(
      [
        `Call ${asWritten(given)}, ${rungs.length} messages from ${shown(startedAt)}`,
        '',
        '  S  sipd, our own signalling server',
        ...parties.map(({ letter, place, role }) => `  ${letter}  ${place}${role === '' ? '' : `, ${role}`}`),
        '',
        ...lines,
        ...(options.messages === true ? rungs.flatMap((rung, i) => whole(rung, labels[i] ?? '')) : []),
        '',
        ...notes,
      ],
      { call: asWritten(given), parties, messages: rungs.map((rung, i) => json(rung, parties, labels[i])) },
    );
  } finally {
    await store.close();
  }
}

/** The caller's own Call-ID stands in the audit; those of the legs begin with ours. */
async function ofOurCall(
  callId: string,
  entriesOf: (callId: string) => Promise<readonly { readonly fact: { readonly fact: string } }[]>,
): Promise<LadderQuestion> {
  const facts = (await entriesOf(callId)).map(({ fact }) => fact as { fact: string; sipCallId?: string });
  const callers = facts.flatMap(({ fact, sipCallId }) => (fact === 'arrived' && sipCallId ? [sipCallId] : []));
  if (facts.length === 0) {
    throw new Refusal(`the audit knows no call ${callId}: "wardline call list" shows those that it knows`);
  }
  return { callIds: callers.slice(0, 1), prefix: callId };
}

function nothing(given: string, answers: readonly ServerLadder[], shown: (atMs: number) => string): string {
  const says = answers.map(({ server, answer }) => {
    if (typeof answer === 'string') return answer;
    const kept = `${server} keeps messages for ${answer.keepMs / 60_000} min as far as its memory reaches`;
    if (answer.sinceMs === null) return `${kept}, and has none yet`;
    return `${kept}: its oldest is of ${shown(answer.sinceMs)}`;
  });
  return `no message of call ${given} is remembered: ${says.join('; ')}`;
}

/** Our own media daemon is known by its address. */
function roles({ data }: Config): (place: string) => string | null {
  const mediad = (readJson(join(dataFolders(data).run, 'mediad.json')) as DaemonRecord | null)?.ready['sip'];
  const place = typeof mediad === 'string' ? mediad.replace('/', ' ') : null;
  return (of) => (of === place ? 'our own media server' : null);
}

function whole(rung: Rung, label: string): readonly string[] {
  const head = `${rung.isSent ? 'to' : 'from'} ${placeOf(rung)}: ${label}`;
  return ['', `-- ${head}`, ...rung.text.split('\r\n')];
}

function json(rung: Rung, parties: readonly { letter: string; place: string }[], label: string | undefined): object {
  const { atMs, isSent, callId, method, status, text } = rung;
  const party = parties.find(({ place }) => place === placeOf(rung))?.letter;
  return { at: new Date(atMs).toISOString(), party, isSent, callId, method, status, says: label, message: text };
}
