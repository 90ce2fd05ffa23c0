import { type CallFact, readBody } from '../core/audit/index.ts';
import { build } from './build.ts';
import type { SqliteDatabase } from './database.ts';

/**
 * Ends the rows of calls whose ending is in the audit already: the process was killed, or its writer ended, in the moment
 * between the two. Who is left without an ending afterwards has none anywhere. For the owner, before it takes calls.
 */
export function settleCalls(db: SqliteDatabase): void {
  db.immediately(() => settle(db));
}

function settle(db: SqliteDatabase): void {
  const open = db.all(build.selectFrom('calls').select('call_id').where('ended_at', 'is', null));
  for (const { call_id: callId } of open) {
    const entries = build.selectFrom('audit_entries').select(['at', 'body']).where('call_id', '=', callId);
    const facts = db.all(entries.orderBy('seq')).flatMap(({ at, body }) => {
      const fact = factIn(body);
      return fact === null ? [] : [{ at, fact }];
    });
    const end = facts.findLast(({ fact }) => fact.fact === 'ended');
    if (end?.fact.fact !== 'ended') continue;
    const told = facts.map(({ fact }) => fact);
    const accepted = told.findLast((fact) => fact.fact === 'accepted');
    const escalated = told.findLast((fact) => fact.fact === 'escalationStarted');
    const row = {
      ended_at: end.at,
      cause: end.fact.cause,
      accepted_by: accepted?.fact === 'accepted' ? accepted.person : null,
      service: escalated?.fact === 'escalationStarted' ? escalated.service : null,
    };
    db.run(build.updateTable('calls').set(row).where('call_id', '=', callId));
  }
}

/** null for an entry that was damaged: to say so is the business of `audit verify`. */
function factIn(body: string): CallFact | null {
  try {
    return (readBody(body, () => null).fact as CallFact | undefined) ?? null;
  } catch {
    return null;
  }
}
