import { type Span, zone } from '../time/index.ts';
import { indexRoster } from './index-roster.ts';
import {
  type ClinicalService,
  type CompiledRoster,
  type DutyTier,
  dutyTiers,
  type OnCallResult,
  type RosterSource,
  type ServiceId,
} from './model.ts';
import { layOutShifts } from './shifts.ts';
import { tierShifts, type TierShifts } from './tier-shifts.ts';
import { whoIsOnCall } from './who-is-on-call.ts';

/**
 * Compiles a checked roster for a window of instants. People and services are indexed and zones are read now; the
 * shifts of a tier are laid out when it is first asked for, or by `layOutNext` when there is time: all tiers of 10⁴
 * services take a second. The first question to a tier costs at most one pass over its shifts in the window
 * (`checkRoster` bounds the rules).
 * Throws RangeError for what `checkRoster` refuses: an unknown zone, a wall time that is none.
 */
export function compileRoster(source: RosterSource, window: Span): CompiledRoster {
  const index = indexRoster(source);
  const laidOut = { primary: new Map(), backup: new Map(), attending: new Map() } as Record<DutyTier, LaidOut>;
  for (const name of new Set(source.services.map((service) => service.zone))) warmUp(name, window);

  function layOutTier(service: ClinicalService, tier: DutyTier): TierShifts {
    const rules = service.tiers[tier] ?? [];
    const home = zone(service.zone);
    const shifts = layOutShifts(rules, home, window);
    const rows = tierShifts({ service: service.id, tier, zone: home }, rules, shifts, index.person);
    laidOut[tier].set(service.id, rows);
    return rows;
  }

  const tiers = eachTier(source.services);

  return {
    version: source.version,
    window,
    ...index,
    whoIsOnCall(id: ServiceId, tier, at): OnCallResult {
      const known = laidOut[tier].get(id);
      if (known) return whoIsOnCall(known, window, at);
      const service = index.service(id);
      if (!service) return { kind: 'nobodyOnCall', service: id, tier, because: `there is no service ${id}` };
      return whoIsOnCall(layOutTier(service, tier), window, at);
    },
    layOutNext() {
      for (let next = tiers.next(); !next.done; next = tiers.next()) {
        const { service, tier } = next.value;
        if (laidOut[tier].has(service.id)) continue;
        layOutTier(service, tier);
        return true;
      }
      return false;
    },
  };
}

function* eachTier(services: readonly ClinicalService[]) {
  for (const service of services) for (const tier of dutyTiers) yield { service, tier };
}

type LaidOut = Map<ServiceId, TierShifts>;

/** Reads the rules of a zone for the window now rather than during a call; that takes milliseconds a zone. */
function warmUp(name: string, window: Span): void {
  const home = zone(name);
  home.toInstant(home.toWall(window.from));
  home.toInstant(home.toWall(window.to));
}
