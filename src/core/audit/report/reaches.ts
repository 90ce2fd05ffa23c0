import type { CallFact } from '../facts.ts';
import { type Reach, TimeToHuman } from '../time-to-human.ts';
import type { ReportEntry } from './model.ts';

/** How each call of a period that asked for somebody on call got on. */
export class Reaches {
  readonly #running = new Map<string, TimeToHuman>();
  readonly #over: (Reach & { readonly callId: string })[] = [];

  take({ at, callId, fact }: ReportEntry): void {
    // Told of a leg that is over, perhaps in a call that is.
    if (callId === null || fact.fact === 'soundMeasured') return;
    const call = this.#running.get(callId) ?? new TimeToHuman();
    call.take(at, fact as CallFact);
    if (fact.fact !== 'ended') return void this.#running.set(callId, call);
    this.#running.delete(callId);
    this.#end(callId, call);
  }

  /** In the order in which they ended; those that still run count as far as they have come. */
  all(): readonly (Reach & { readonly callId: string })[] {
    for (const [callId, call] of this.#running) this.#end(callId, call);
    this.#running.clear();
    return this.#over;
  }

  #end(callId: string, call: TimeToHuman): void {
    const reach = call.result();
    if (reach !== null) this.#over.push({ ...reach, callId });
  }
}
