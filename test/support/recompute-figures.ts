import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The figures of the reports, counted anew from an export of the chain, line by line: first the program of the documentation
 * says that it is the chain, then nothing of the code that makes the reports, and no store, has a part in it.
 */
interface Told {
  readonly at: number;
  readonly callId: string | null;
  readonly fact: Record<string, unknown> & { readonly fact: string };
}

const TARGET_S: Readonly<Record<string, number>> = { stat: 120, urgent: 180, routine: 300 };
const ORDER = ['media', 'trunk', 'declined', 'mailbox', 'ringTime', 'noRoster'];

export interface Consult {
  readonly callId: string;
  readonly service: string;
  readonly urgency: string;
  readonly from: string;
  readonly tookMs: number | null;
  readonly outcome: 'reached' | 'abandoned' | 'late';
  readonly cause: string | null;
}

export function figuresOf(
  exported: { readonly file: string; readonly publicKey: string },
  period: { readonly from: number; readonly to: number },
) {
  const { file, publicKey } = exported;
  const judged = spawnSync(process.execPath, ['docs/verify-audit-export.mjs', file, publicKey], { encoding: 'utf8' });
  if (judged.status !== 0) throw new Error(`${judged.stdout}${judged.stderr}`);
  const bodies = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly type: string; readonly body: string })
    .flatMap(({ type, body }) => (type === 'entry' ? [body] : []));
  const told = bodies.map((body) => JSON.parse(body) as Told).filter(({ at }) => at >= period.from && at < period.to);
  const ids = [...new Set(told.flatMap(({ callId }) => (callId === null ? [] : [callId])))];
  const calls = ids.map((callId) => told.filter((one) => one.callId === callId));
  const endings = new Map<string, number>();
  const talkedBy = new Map<string, number>();
  const facts = new Map<string, number>();
  for (const { fact } of told) {
    facts.set(fact.fact, (facts.get(fact.fact) ?? 0) + 1);
    if (fact.fact !== 'ended') continue;
    const cause = String(fact['cause']);
    endings.set(cause, (endings.get(cause) ?? 0) + 1);
    talkedBy.set(cause, (talkedBy.get(cause) ?? 0) + Number(fact['talkedMs']));
  }
  const talkedMs = told.reduce((sum, { fact }) => sum + (fact.fact === 'ended' ? Number(fact['talkedMs']) : 0), 0);
  return {
    facts,
    endings,
    talkedBy,
    talkedMs,
    calls: calls.length,
    consults: calls.flatMap((call) => consult(call) ?? []),
    responses: responsesIn(calls),
  };
}

/** How each person responded to each request for which they were rung: what a surveyor counts. */
function responsesIn(calls: readonly (readonly Told[])[]): readonly { person: string; outcome: string }[] {
  return calls
    .filter((call) => call.some(({ fact }) => fact.fact === 'escalationStarted'))
    .flatMap((call) => {
      const facts = call.map(({ fact }) => fact);
      const rung = facts.filter(({ fact, verdict }) => fact === 'considered' && verdict === 'rung');
      const people = new Set(rung.map(({ person }) => String(person)).filter((person) => person !== ''));
      const legsOf = (person: string) =>
        facts.filter(({ fact, person: whose }) => fact === 'legRung' && whose === person).map(({ leg }) => leg);
      return [...people].map((person) => {
        const legs = legsOf(person);
        const took = facts.some((fact) => fact.fact === 'accepted' && fact['person'] === person);
        const saidNo = facts.some((fact) => legs.includes(fact['leg']) && troubleIn(fact) === 'declined');
        return { person, outcome: took ? 'took' : saidNo ? 'declined' : 'silent' };
      });
    });
}

function consult(call: readonly Told[]): Consult | null {
  const find = (name: string) => call.find(({ fact }) => fact.fact === name);
  const [arrived, asked, accepted, ended] = ['arrived', 'escalationStarted', 'accepted', 'ended'].map(find);
  if (arrived === undefined || asked === undefined) return null;
  const tookMs = accepted === undefined ? null : accepted.at - arrived.at;
  const urgency = String(asked.fact['urgency']);
  const waitedMs = tookMs ?? (call.at(-1)?.at ?? 0) - arrived.at;
  const isTooLong = waitedMs > (TARGET_S[urgency] ?? 0) * 1000;
  const gaveUp = ['callerHungUp', 'callerCancelled'].includes(String(ended?.fact['cause'])) && !find('nobodyAccepted');
  const outcome = isTooLong || (tookMs === null && !gaveUp) ? 'late' : tookMs === null ? 'abandoned' : 'reached';
  return {
    callId: String(arrived.callId),
    service: String(asked.fact['service']),
    urgency,
    from: String(arrived.fact['from']),
    tookMs,
    outcome,
    cause:
      outcome === 'late' ? causeOf(accepted === undefined ? call : call.slice(0, call.indexOf(accepted) + 1)) : null,
  };
}

/** Cut into steps; each counts for the worst that happened in it. */
function causeOf(call: readonly Told[]): string {
  const ends = ['stepStarted', 'accepted', 'nobodyAccepted', 'ended'];
  const marks = call.flatMap(({ fact }, i) => (ends.includes(fact.fact) ? [i] : []));
  const lost = new Map<string, number>();
  for (const [n, i] of marks.entries()) {
    if (call[i]?.fact.fact !== 'stepStarted') continue;
    const until = marks[n + 1] ?? call.length - 1;
    const step = call.slice(i, until);
    const saw = step.map(({ fact }) => troubleIn(fact));
    const cause =
      ORDER.find((one) => saw.includes(one)) ??
      (step.some(({ fact }) => fact.fact === 'legRung') ? 'ringTime' : 'noRoster');
    lost.set(cause, (lost.get(cause) ?? 0) + (call[until]?.at ?? 0) - (call[i]?.at ?? 0));
  }
  const most = Math.max(...lost.values());
  return ORDER.find((cause) => lost.get(cause) === most) ?? 'noRoster';
}

function troubleIn(fact: Told['fact']): string | null {
  if (fact.fact === 'challengeAnswered') {
    const result = String(fact['result']);
    return result === 'declined'
      ? 'declined'
      : ['wrongDigit', 'silence', 'timeout'].includes(result)
        ? 'mailbox'
        : null;
  }
  if (fact.fact !== 'legEnded') return null;
  const { kind } = fact['result'] as { kind: string };
  if (kind.startsWith('media')) return 'media';
  if (kind === 'trunkUnavailable' || kind === 'unreachable') return 'trunk';
  return kind === 'declined' || kind === 'busy' ? 'declined' : null;
}
