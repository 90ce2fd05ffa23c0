// A stand-in for a daemon or for the app: node stand-in.ts <file>, where the file says how to behave.
import type { BannerFacts } from '../../src/cli/app/banner.ts';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const behaviour = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  kind: 'daemon' | 'app';
  /** Ends before it is ready, having said this. */
  refuses?: string;
  /** What the app does with SIGTERM: ends after this many ms. */
  drainsMs?: number;
};

if (behaviour.refuses !== undefined) {
  if (behaviour.kind === 'app') process.send?.({ type: 'cannotStart', problem: behaviour.refuses });
  else console.error(behaviour.refuses);
  process.exitCode = 1;
  process.disconnect?.();
} else {
  process.on('SIGTERM', () => void sleep(behaviour.drainsMs ?? 0).then(() => process.exit(0)));
  // An orphan lives on.
  process.on('disconnect', () => {});
  setInterval(() => {}, 1000);
  if (behaviour.kind === 'app')
    process.send?.({
      type: 'ready',
      serves: { sip: [], admin: '' },
      banner: {
        version: '0',
        site: 'the banner',
        sip: [],
        phones: [{ extension: '2101', name: 'Ward', password: 'stand-in password' }],
        numbers: [],
        data: '',
        admin: '',
      } satisfies BannerFacts,
    });
  else console.log(JSON.stringify({ ready: true, ports: [4711] }));
}
