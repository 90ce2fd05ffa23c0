import { type Span, zone } from '../time/index.ts';
import { indexRoster } from './index-roster.ts';
import type { ClinicalService, CompiledRoster, DutyTier, OnCallResult, RosterSource, ServiceId } from './model.ts';
import { layOutShifts } from './shifts.ts';
import { type TierShifts, whoIsOnCall } from './who-is-on-call.ts';

/**
 * Compiles a checked roster for a window of instants. People and services are indexed and zones are read now; the
 * shifts of a tier are laid out when it is first asked for, because few of 10⁴ services are ever asked in one window.
 * The first question to a tier costs at most one pass over its shifts in the window (`checkRoster` bounds the rules).
 * Throws RangeError for what `checkRoster` refuses: an unknown zone, a wall time that is none.
 */
export function compileRoster(source: RosterSource, window: Span): CompiledRoster {
  const index = indexRoster(source);
  const laidOut = new Map<ClinicalService, Partial<Record<DutyTier, TierShifts>>>();
  for (const service of source.services) warmUp(service.zone, window);

  function tierOf(service: ClinicalService, tier: DutyTier): TierShifts {
    let tiers = laidOut.get(service);
    if (!tiers) laidOut.set(service, (tiers = {}));
    return (tiers[tier] ??= layOutTier(service, tier));
  }

  function layOutTier(service: ClinicalService, tier: DutyTier): TierShifts {
    const rules = service.tiers[tier] ?? [];
    const home = zone(service.zone);
    const shifts = layOutShifts(rules, home, window);
    return { service: service.id, tier, zone: home, rules, shifts, person: index.person };
  }

  return {
    version: source.version,
    window,
    ...index,
    whoIsOnCall(id: ServiceId, tier, at): OnCallResult {
      const service = index.service(id);
      if (!service) return { kind: 'nobodyOnCall', service: id, tier, because: `there is no service ${id}` };
      return whoIsOnCall(tierOf(service, tier), window, at);
    },
  };
}

/** Reads the rules of a zone for the window now rather than during a call; that takes milliseconds a zone. */
function warmUp(name: string, window: Span): void {
  const home = zone(name);
  home.toInstant(home.toWall(window.from));
  home.toInstant(home.toWall(window.to));
}
