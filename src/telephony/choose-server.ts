import type { Random } from '../engine/ports.ts';

/** What decides whether a server gets the next call. */
export interface Candidate {
  readonly weight: number;
  readonly isDraining: boolean;
  readonly health: { readonly isUp: boolean };
}

/**
 * One of those that are up and not draining, by weight; one of weight 0 only when there is no other. null: none can
 * take a call.
 */
export function chooseServer<T extends Candidate>(servers: readonly T[], random: Random): T | null {
  return byWeight(
    servers.filter(({ health, isDraining }) => health.isUp && !isDraining),
    random,
  );
}

/** Also one that is draining: what nobody else can take is taken there, rather than lost. null: none is up. */
export function lastResort<T extends Candidate>(servers: readonly T[], random: Random): T | null {
  const up = servers.filter(({ health }) => health.isUp);
  return chooseServer(up, random) ?? byWeight(up, random);
}

function byWeight<T extends Candidate>(able: readonly T[], random: Random): T | null {
  const total = able.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return able[random.below(Math.max(1, able.length))] ?? null;
  let left = random.below(total);
  for (const server of able) {
    left -= server.weight;
    if (left < 0) return server;
  }
  return null;
}
