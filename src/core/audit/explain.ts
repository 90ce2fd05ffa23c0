import { endCauses } from '../call/end-causes.ts';
import type { Instant } from '../time/index.ts';
import type { CallFact, Fact } from './facts.ts';
import { type Names, type Revealed, spokenPhone } from './sentence.ts';

type Entry = { readonly at: Instant; readonly fact: Fact };
type FactOf<F extends CallFact['fact']> = Extract<CallFact, { fact: F }>;

/**
 * Why a call went as it did, for a nurse: what was dialled and what that meant, who was rung and why, who was not and
 * why not, what became of each phone, and who took the call. Times count from the arrival. Indentation shows what
 * belongs to what.
 */
export function explain(
  entries: readonly Entry[],
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
  revealed: Revealed = {},
): readonly string[] {
  const start = entries[0]?.at ?? (0 as Instant);
  const lines: string[] = [];
  const when = (at: Instant) => (at - start < 1_000 ? 'At once' : `After ${Math.round((at - start) / 1_000)} s`);
  for (const [i, { at, fact }] of entries.entries()) {
    switch (fact.fact) {
      case 'arrived':
        lines.push(arrival(fact, names, revealed));
        break;
      case 'houseCalled': {
        const whom = fact.person === '' ? 'whoever had left it' : names.person(fact.person);
        lines.push(`The house called ${whom} ${errands[fact.about]}.`);
        break;
      }
      case 'decided':
        lines.push(`${when(at)} the plan said: ${fact.trace.map(({ says }) => says).join('; ')}.`);
        break;
      case 'keyPressed':
        lines.push(
          fact.key === ''
            ? `${when(at)} the caller had pressed nothing: ${fact.meaning}.`
            : `${when(at)} the caller pressed ${fact.key}: ${fact.meaning}.`,
        );
        break;
      case 'stepStarted':
        lines.push(
          `${when(at)}, step ${fact.step}: ${fact.says}.`,
          ...stepLines(entries.slice(i + 1), fact.step, names),
        );
        break;
      case 'stepOver':
        if (fact.because === 'nobodyToRing') lines.push('  There was no phone to ring, so nobody waited.');
        break;
      case 'accepted':
        lines.push(`${when(at)} ${names.person(fact.person)} took the call: ${takes[fact.how]}.`);
        break;
      case 'legRung':
        if (isPlain(entries, i)) lines.push(plain(fact, entries.slice(i + 1), names, when(at)));
        break;
      case 'nobodyAccepted':
        lines.push(
          `${when(at)} everybody had been tried and nobody had taken the call: the caller was asked for a message.`,
        );
        break;
      case 'recordingStarted':
        lines.push(
          `${when(at)} ${fact.urgent ? 'an urgent message' : 'a message'} was recorded for ${names.mailbox(fact.mailbox)}.`,
        );
        break;
      case 'ended':
        lines.push(`${when(at)} it was over: ${endCauses[fact.cause].says}.`);
        break;
      default:
    }
  }
  return lines;
}

const errands = {
  deliver: 'because an urgent message waited to be listened to',
  tellClaimed: 'to say that somebody had taken a message',
  tellUnclaimed: 'to say that nobody had taken a message yet',
} as const;

const takes = { answeredDesk: 'picked up the desk phone', pressedDigit: 'pressed the digit on the mobile' } as const;

function arrival(
  { from, number, dialled }: FactOf<'arrived'>,
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
  revealed: Revealed,
): string {
  const shown = number === null ? '' : ` (${revealed.number ?? number.toString()})`;
  const who = from.startsWith('trunk ')
    ? `Somebody outside${shown}`
    : `${names.extension(from) ?? 'Extension'} (${from})`;
  return `${who} dialled ${revealed.dialled ?? dialled.toString()}.`;
}

/** Whom the step considered, phone by phone, and what became of each until the call ended. */
function stepLines(
  entries: readonly Entry[],
  step: number,
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
): readonly string[] {
  const lines: string[] = [];
  let before: FactOf<'considered'> | null = null;
  for (const [i, { fact }] of entries.entries()) {
    if (fact.fact === 'stepStarted' || fact.fact === 'nobodyAccepted') break;
    if (fact.fact !== 'considered' || fact.step !== step) continue;
    const { person, tier, because, duty, verdict, device } = fact;
    if (person === '') {
      lines.push(`  Nobody was ${tier}: ${because}.`);
      continue;
    }
    if (before?.person !== person || before.tier !== tier) {
      const why = tier === 'post' ? duty : `is ${tier}: ${duty}`;
      lines.push(`  ${names.person(person)} ${tier === 'post' ? `is ${why}` : why}.`);
    }
    before = fact;
    const phone = spokenPhone(device ?? 'desk', fact.contact);
    const rung = entries[i + 1]?.fact;
    if (verdict === 'skipped') lines.push(`    Not rung on the ${phone}: ${because}.`);
    else if (rung?.fact === 'legRung') lines.push(`    Rung on the ${phone}: ${fateOf(rung.leg, entries)}.`);
  }
  return lines;
}

/** A phone that a plan rings outside of any chain. */
function isPlain(entries: readonly Entry[], i: number): boolean {
  const before = entries[i - 1]?.fact;
  return before?.fact !== 'considered' || before.verdict === 'skipped';
}

function plain(
  { leg, person, target }: FactOf<'legRung'>,
  entries: readonly Entry[],
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
  when: string,
): string {
  const extension = target.kind === 'extension' ? target.extension : null;
  const whose = extension === null ? 'an outside number' : `${names.extension(extension) ?? person} (${extension})`;
  return `${when} ${whose} was rung: ${fateOf(leg, entries)}.`;
}

function fateOf(leg: string, entries: readonly Entry[]): string {
  let fate = 'nobody picked up';
  let isPickedUp = false;
  for (const [i, { fact }] of entries.entries()) {
    if (!('leg' in fact) || fact.leg !== leg) continue;
    if (fact.fact === 'legAnswered') [fate, isPickedUp] = ['picked up', true];
    if (fact.fact === 'bridged') return 'picked up, and connected';
    if (fact.fact === 'challengeAnswered') fate = `picked up, but ${challenges[fact.result]}`;
    if (fact.fact === 'legEnded' && !isPickedUp) fate = whyUnanswered(fact, entries.slice(0, i), entries.slice(i + 1));
  }
  return fate;
}

/** A phone that rang in vain: the time was up, or nobody needed it any more. */
function whyUnanswered({ result }: FactOf<'legEnded'>, before: readonly Entry[], after: readonly Entry[]): string {
  if (result.kind !== 'stoodDown' && result.kind !== 'cancelled') return ends[result.kind];
  const taken = before.some(({ fact }) => fact.fact === 'accepted' || fact.fact === 'bridged');
  if (taken) return 'it stopped ringing, because the call was taken';
  const next = after.find(({ fact }) => fact.fact !== 'legEnded')?.fact;
  const isGivenUp = next?.fact === 'ended' && (next.cause === 'callerHungUp' || next.cause === 'callerCancelled');
  return isGivenUp ? 'nobody had picked up when the caller hung up' : ends[result.kind];
}

const challenges = {
  accepted: 'the line was lost before both were connected',
  declined: '9 was pressed, for no',
  wrongDigit: 'the right digit was not pressed',
  silence: 'no digit was pressed',
  timeout: 'no digit was pressed, so it was taken for a mailbox',
  tooLate: 'somebody else had taken the call',
} as const;

const ends: Readonly<Record<FactOf<'legEnded'>['result']['kind'], string>> = {
  busy: 'it was busy',
  declined: 'it was declined',
  noAnswer: 'nobody picked up',
  notRegistered: 'it was not registered',
  unreachable: 'it could not be reached',
  trunkUnavailable: 'there was no line to the outside',
  mediaFailed: 'there was no sound',
  cancelled: 'nobody picked up in time',
  hungUp: 'it was hung up',
  stoodDown: 'nobody picked up in time',
  mediaLost: 'the sound was lost',
};
