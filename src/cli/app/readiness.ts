import type { Readiness } from '../../admin/index.ts';
import type { Health } from '../../observe/index.ts';
import type { TelephonyHealth } from '../../telephony/index.ts';

/** Before the parts that take calls are there. */
export const starting: Readiness = {
  isReady: false,
  parts: [{ part: 'house', isGood: false, says: 'starting: no calls yet' }],
};

/** Ready: a call would be taken now. One server of each kind must take calls; others, and parts that limp, do not count. */
export function readinessOf(telephony: TelephonyHealth, isDraining: boolean, health: Health): Readiness {
  const kinds = ['signalling', 'media'] as const;
  const links = kinds.flatMap((kind) =>
    telephony[kind].map(({ name, isUp, isDraining, legs, why }) => ({
      part: `${kind} ${name}`,
      isGood: isUp,
      says: isUp ? (isDraining ? `connected, draining: no new calls, ${legs} legs left` : 'connected') : why,
    })),
  );
  const trunks = telephony.trunks.map(({ name, fault }) => ({
    part: `trunk ${name}`,
    isGood: fault === null,
    says: fault ?? 'nothing is known against it',
  }));
  const hasBoth = kinds.every((kind) => telephony[kind].some(({ isUp, isDraining }) => isUp && !isDraining));
  const house = { part: 'house', isGood: !isDraining, says: isDraining ? 'stopping: no new calls' : 'taking calls' };
  const limping = health.report().checks.map((check) => ({
    part: check.name,
    isGood: check.kind === 'ok',
    says: check.kind === 'ok' ? 'ok' : check.why,
  }));
  return { isReady: hasBoth && house.isGood, parts: [...links, ...trunks, house, ...limping] };
}
