import type { CallFact } from '../audit/index.ts';
import type { PersonId, ServiceId } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import type { Happening, SimulatedPhone } from './model.ts';
import type { Scene, Setting } from './supposed-world.ts';

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type Step = Omit<Draft<Extract<Happening, { kind: 'step' }>>, 'considered'> & { considered: Draft<SimulatedPhone>[] };
type Ring = Draft<Extract<Happening, { kind: 'rings' }>>;

/** The facts that the call machine attested, put together into what a person wants to know beforehand. */
export function happeningsOf({ roster, supposed }: Setting, facts: Scene['facts']): readonly Happening[] {
  const happens: (Happening | Step | Ring)[] = [];
  let step: Step | null = null;
  const rings = new Map<string, Ring>();

  const consider = (fact: Extract<CallFact, { fact: 'considered' }>, at: Instant): void => {
    const { verdict, tier, because, duty, device } = fact;
    const afterMs = at - supposed.at;
    const person = roster.person(fact.person as PersonId) ?? null;
    if (step) step.considered.push({ verdict, tier, person, device, phone: null, because, duty, afterMs });
    else happens.push({ kind: 'rings', afterMs, extension: fact.person, verdict, forMs: 0, because });
  };
  const ring = (leg: string, target: Extract<CallFact, { fact: 'legRung' }>['target'], at: Instant): void => {
    // The machine attests a phone that is rung right behind the verdict about it.
    const phone = step?.considered.at(-1);
    if (phone) {
      phone.phone = numberOf(target);
    } else {
      const afterMs = at - supposed.at;
      const rung: Ring = {
        kind: 'rings',
        afterMs,
        extension: numberOf(target),
        verdict: 'rung',
        forMs: 0,
        because: '',
      };
      rings.set(leg, rung);
      happens.push(rung);
    }
  };

  for (const { at, fact } of facts) {
    const afterMs = at - supposed.at;
    switch (fact.fact) {
      case 'decided':
        happens.push({ kind: 'decides', afterMs, trace: fact.trace });
        break;
      case 'escalationStarted': {
        const { service, urgency, chain } = fact;
        happens.push({ kind: 'escalates', afterMs, service: service as ServiceId, urgency, chain });
        break;
      }
      case 'stepStarted': {
        step = { kind: 'step', step: fact.step, says: fact.says, at, afterMs, forMs: 0, considered: [] };
        happens.push(step);
        break;
      }
      case 'considered':
        consider(fact, at);
        break;
      case 'legRung':
        ring(fact.leg, fact.target, at);
        break;
      case 'legEnded': {
        const rung = rings.get(fact.leg);
        if (rung) rung.forMs = afterMs - rung.afterMs;
        break;
      }
      case 'stepOver':
        if (step) step.forMs = afterMs - step.afterMs;
        step = null;
        break;
      default:
    }
  }
  return happens;
}

function numberOf(target: Extract<CallFact, { fact: 'legRung' }>['target']): string {
  if (target.kind === 'extension') return target.extension;
  return target.kind === 'number' ? target.e164 : 'the number dialled';
}
