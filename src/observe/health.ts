/** `why` is for the person who is woken up: the thing, the reason and what to do. */
export type HealthState = { readonly kind: 'ok' } | { readonly kind: 'failing'; readonly why: string };

export interface HealthReport {
  readonly kind: HealthState['kind'];
  /** By name, in alphabetical order. */
  readonly checks: readonly ({ readonly name: string } & HealthState)[];
}

/** What is wrong right now. A part tells its own state; nobody polls. */
export interface Health {
  ok(name: string): void;
  failing(name: string, why: string): void;
  /** A part that was closed on purpose is no longer reported. */
  forget(name: string): void;
  report(): HealthReport;
}

export function createHealth(): Health {
  const states = new Map<string, HealthState>();
  return {
    ok: (name) => void states.set(name, { kind: 'ok' }),
    failing: (name, why) => void states.set(name, { kind: 'failing', why }),
    forget: (name) => void states.delete(name),
    report: () => {
      const checks = [...states].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, state]) => ({ name, ...state }));
      return { kind: checks.some((check) => check.kind === 'failing') ? 'failing' : 'ok', checks };
    },
  };
}
