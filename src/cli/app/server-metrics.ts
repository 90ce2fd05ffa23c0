import type { Metrics } from '../../observe/index.ts';
import type { ServerHealth, Telephony } from '../../telephony/index.ts';

/** What `wardline servers` reads too (cli/servers.ts). */
export function serverMetrics(metrics: Metrics, telephony: Pick<Telephony, 'health'>): void {
  const gauge = (name: string, help: string, valueOf: (server: ServerHealth) => number): void =>
    metrics.gaugesOf(name, help, ['kind', 'server'], () => {
      const health = telephony.health();
      return (['signalling', 'media'] as const).flatMap((kind) =>
        health[kind].map((server) => ({ labels: { kind, server: server.name }, value: valueOf(server) })),
      );
    });
  gauge('wardline_server_up', '1 while a server is connected, by kind and name.', ({ isUp }) => Number(isUp));
  gauge('wardline_server_draining', '1 while a server gets no new calls.', ({ isDraining }) => Number(isDraining));
  gauge('wardline_server_legs', 'Legs and open INVITEs that a server has.', ({ legs }) => legs);
}
