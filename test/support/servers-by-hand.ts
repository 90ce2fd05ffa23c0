import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.ts';
import { Daemon, portOf } from './daemon.ts';
import { scratch } from './processes.ts';

const secret = 'a-secret-that-the-house-is-told';

export interface ByHand {
  /** Give both to `House.start`. */
  readonly data: string;
  readonly set: Readonly<Record<string, string>>;
  readonly sipds: readonly Daemon[];
  readonly mediads: readonly Daemon[];
  readonly secret: string;
}

/** Signalling and media daemons that no supervisor knows, as an admin starts them, for a house that is told of them. */
export async function serversByHand(
  t: Parameters<typeof scratch>[0],
  many: { readonly sipd: number; readonly mediad: number; readonly weights?: readonly number[] },
): Promise<ByHand> {
  const data = join(scratch(t, 'data'), 'data');
  const recordings = join(data, 'voicemail');
  mkdirSync(recordings, { recursive: true, mode: 0o700 });
  const sipds = await Promise.all(
    Array.from({ length: many.sipd }, () =>
      Daemon.start(t, 'sipd', scratch(t, 'sipd'), (ready) => ({
        sip: ['udp', 'tcp'].map((protocol) => ({ protocol, host: '127.0.0.1', port: portOf(ready?.sip, protocol) })),
        control: { host: '127.0.0.1', port: ready?.control?.port ?? 0 },
        secret,
      })),
    ),
  );
  const mediads = await Promise.all(
    Array.from({ length: many.mediad }, () =>
      Daemon.start(t, 'mediad', scratch(t, 'mediad'), (ready) => ({
        eventSocket: { host: '127.0.0.1', port: ready?.eventSocket?.port ?? 0, secret },
        sip: { host: '127.0.0.1', port: portOf(ready?.sip, 'udp') },
        rtp: { bindAddress: '127.0.0.1', portsFrom: 0, portsTo: 0 },
        promptFolders: ['en/wardline', 'en/asterisk-core-sounds', 'music'].map((name) =>
          join(ROOT, 'src/mediad/prompts', name),
        ),
        recordingsFolder: recordings,
      })),
    ),
  );
  const weight = (i: number): number => many.weights?.[i] ?? 1;
  const servers = (all: readonly Daemon[], name: string, more: object = {}): string =>
    all.length === 0
      ? '[]'
      : JSON.stringify(
          all.map(({ ready }, i) => {
            const { host, port } = ready.control ?? ready.eventSocket ?? { host: '', port: 0 };
            return { name: `${name}${i + 1}`, host, port, secret, weight: weight(i), ...more };
          }),
        );
  const set = {
    'signalling.servers': servers(sipds, 'sipd'),
    'media.servers': servers(mediads, 'mediad', { kind: 'mediad', listenPort: 0 }),
  };
  return { data, set, sipds, mediads, secret };
}
