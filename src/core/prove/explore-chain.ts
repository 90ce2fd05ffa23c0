import type { EscalationChain, Urgency } from '../oncall/index.ts';
import { instant, joined, type Span } from '../time/index.ts';
import { callInto } from './call-into.ts';
import { type Broken, type ChainAt, chainExample, type Duties } from './chain-at.ts';
import { type ChainPiece, chainPieces } from './chain-pieces.ts';
import { Crossings } from './crossings.ts';
import { arrivalFor } from './example.ts';
import { type FoundFault, isClaimed } from './findings.ts';
import { type Looked, lookAt, staffedStep } from './look-at-chain.ts';

/**
 * A chain at every instant. Between two changes of duty nothing about it changes, and it is looked at once for everybody
 * who holds its tiers together. What phones do is left open: each step takes from no time (all fail at once) to its
 * whole time, and nobody takes the call. Whom a step may ring is asked of the code that rings.
 */

/** The instants at which something about the chain changes. */
export function exploreChain(duties: Duties, at: ChainAt): number {
  const { service, urgency } = at;
  const chain = service.chains[urgency];
  // Where somebody who is always there was rung before, the chain need not do it again.
  const isFirst = at.uses.filter(({ isStaffed }) => !isStaffed);
  if (isFirst.length > 0) checkEnd(duties, { ...at, uses: isFirst }, chain);
  const usesFor = ({ kind }: FoundFault) => (kind === 'tooLate' ? isFirst : at.uses);
  let instants = 0;
  const looked = new Map<string, Looked>();
  const crossings = new Crossings(duties, at, chain);
  let before: ChainPiece | null = null;
  for (const piece of chainPieces(duties, service, chain, lasting(duties, at, chain))) {
    instants += 1;
    let look = looked.get(piece.holders);
    if (look === undefined) {
      look = lookAt(duties, at, chain, { at: () => piece.from, successors: () => null });
      looked.set(piece.holders, look);
    }
    const unseen: Broken[] = [];
    for (const one of look.broken) {
      const shown = callInto(usesFor(one.fault), piece);
      if (shown) duties.findings.add(one.fault, one.example(shown), 1);
      else unseen.push(one);
    }
    if (before?.to === piece.from) {
      for (const { broken, begins } of crossings.between(before, piece, unseen)) {
        const shown = callInto(usesFor(broken.fault), begins);
        if (shown) duties.findings.add(broken.fault, broken.example(shown), 1);
      }
    }
    before = piece;
  }
  return instants;
}

/** Until the last of the calls that come in here have gone through the chain. */
function lasting({ terrain }: Duties, { spans }: ChainAt, { steps }: EscalationChain): readonly Span[] {
  const mostMs = steps.reduce((sum, { dwellMs }) => sum + dwellMs, 0);
  return joined(
    spans.map(({ from, to }) => ({ from, to: instant(Math.min(to + mostMs, Math.max(to, terrain.span.to))) })),
  );
}

/** Whether the chain has a last resort at all; that does not depend on who is on duty. */
function checkEnd(duties: Duties, at: ChainAt, chain: EscalationChain): void {
  const { terrain, findings } = duties;
  const { service, urgency } = at;
  if (staffedStep(terrain, chain) >= 0) return;
  // A message is no answer to a STAT call, whoever listens to it.
  if (urgency !== 'stat' && isClaimed(terrain.plan, service.mailbox)) return;
  const isStat = urgency === 'stat';
  findings.add(
    isStat
      ? {
          kind: 'noStaffedLastResort',
          document: 'roster',
          path: `chains.${chain.id}`,
          on: 'key',
          reason: `a STAT call to ${service.id} that nobody takes ends without anybody being rung who is always there`,
          remedy: 'add a last step with a post that is staffed: always, such as the operator',
        }
      : {
          kind: 'noStaffedLastResort',
          document: 'plan',
          path: `mailboxes.${service.mailbox}`,
          on: 'key',
          reason: `${article(urgency)} call to ${service.id} can end in the mailbox ${service.mailbox}, and nobody is said to listen to it`,
          remedy: 'add claimed-by: and the extension of whoever does, or ring a staffed post in the chain',
        },
    chainExample(duties, at, { use: at.uses[0]!, arrival: arrivalFor(at.uses[0]!, at.uses[0]!.spans) }),
    1,
  );
}

function article(urgency: Urgency): string {
  return urgency === 'urgent' ? 'an urgent' : 'a routine';
}
