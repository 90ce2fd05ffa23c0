import type { LiveDocuments } from '../../documents/index.ts';
import { Chases, type Engine, systemClock } from '../../engine/index.ts';
import type { AuditPort, Reachability } from '../../engine/ports.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** Follows urgent messages. Started once calls can be made. */
export function watchChases(
  { store, log, metrics }: Pick<Foundation, 'store' | 'log' | 'metrics'>,
  parts: {
    readonly engine: Engine;
    readonly documents: LiveDocuments;
    readonly audit: AuditPort;
    readonly reachability: Reachability;
  },
  closing: Closing,
): void {
  const { engine, documents, audit, reachability } = parts;
  const chases = new Chases({
    book: store.chases,
    documents,
    reachability,
    audit,
    clock: systemClock,
    log,
    callOut: (party, errand) => engine.callOut(party, errand),
    // Only a phone of the house is called back: what an outside caller shows as a number may be anybody's, and cost money.
    callerOf(callId) {
      const caller = store.calls.callerOf(callId);
      if (caller === null || documents.current().plan.extension(caller) === undefined) return null;
      if (engine.isCalling(caller)) return 'busy';
      return { person: '', target: { kind: 'extension', extension: caller } };
    },
  });
  metrics.gaugeOf('wardline_chases_open', 'Urgent messages that nobody has taken yet.', () => chases.open);
  chases.start();
  closing.add('chases', () => chases.close());
}
