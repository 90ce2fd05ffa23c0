import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startAdmin } from '../../src/admin/index.ts';
import { Closing } from '../../src/cli/app/closing.ts';
import { serverMetrics } from '../../src/cli/app/server-metrics.ts';
import { followServerOrders } from '../../src/cli/app/server-orders.ts';
import { dataFolders } from '../../src/cli/folders.ts';
import { houseSecrets } from '../../src/cli/house-secrets.ts';
import type { ServerKind } from '../../src/engine/ports.ts';
import { createLogger, openMetrics } from '../../src/observe/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { chooseServer, lastResort } from '../../src/telephony/choose-server.ts';
import type { ServerHealth, TelephonyOptions } from '../../src/telephony/index.ts';
import { warmCli } from '../support/warm-cli.ts';

// `wardline servers`: draining while the house runs, and what is left of it after a restart.

const CONFIG = `
signalling:
  servers:
    - { name: east, host: 127.0.0.1, port: 19022, secret: a-secret-that-is-long-enough }
media:
  servers:
    - { name: fs-1, host: 127.0.0.1, port: 18021, secret: a-secret-that-is-long-enough, weight: 3 }
    - { name: fs-2, host: 127.0.0.1, port: 18022, secret: a-secret-that-is-long-enough }
    - { name: fs-3, host: 127.0.0.1, port: 18023, secret: a-secret-that-is-long-enough, draining: true }
`;
const OPTIONS = {
  signalling: { servers: [{ name: 'east', draining: false }] },
  media: {
    servers: [
      { name: 'fs-1', draining: false },
      { name: 'fs-2', draining: false },
      { name: 'fs-3', draining: true },
    ],
  },
} as unknown as TelephonyOptions;

function aSite(t: Test) {
  const data = join(t.testdir({}), 'data');
  const config = join(t.testdirName, 'wardline.yaml');
  writeFileSync(config, CONFIG);
  mkdirSync(dataFolders(data).run, { recursive: true, mode: 0o700 });
  const servers = (...words: readonly string[]) => warmCli(['servers', ...words, '--data', data, '--config', config]);
  return { data, servers };
}

/** A house without telephones: what orders do to its servers, told by its admin server. */
async function aHouse(t: Test, data: string) {
  const folders = dataFolders(data);
  const secrets = await houseSecrets(folders);
  const store = await openStore(folders.store, { as: 'owner', sealer: secrets.phi });
  const state: Record<ServerKind, (ServerHealth & { isDraining: boolean; isUp: boolean; legs: number })[]> = {
    signalling: [],
    media: [],
  };
  for (const kind of ['signalling', 'media'] as const) {
    for (const { name = '', draining } of OPTIONS[kind].servers) {
      state[kind].push({ name, isDraining: draining, isUp: true, why: '', legs: name === 'fs-1' ? 2 : 0 });
    }
  }
  const log = createLogger({ name: 'test', level: 'error', destination: { write: () => {} }, format: 'json' });
  const said: string[] = [];
  const drain = (kind: ServerKind, name: string, isDraining: boolean) => {
    const server = state[kind].find((one) => one.name === name);
    if (server) server.isDraining = isDraining;
    return server !== undefined;
  };
  const metrics = await openMetrics({ process: false });
  serverMetrics(metrics, { health: () => ({ ...state, trunks: [], serves: [], registrations: 0, calls: 0 }) });
  const closing = new Closing();
  followServerOrders(
    { foundation: { store, log, terminal: (line) => said.push(line) }, telephony: { drain }, options: OPTIONS },
    closing,
  );
  const atStart = state.media.map(({ isDraining }) => isDraining);
  const admin = await startAdmin(
    { listen: '127.0.0.1:0', publicUrl: '' },
    {
      readiness: () => ({ isReady: true, parts: [] }),
      calendar: async () => 'unknown',
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
    },
  );
  if (admin.kind !== 'listening') throw new Error(admin.problem);
  writeFileSync(join(folders.run, 'ready.json'), JSON.stringify({ admin: `127.0.0.1:${admin.port}` }));
  const close = async () => {
    await admin.close();
    await closing.close();
    await store.close();
  };
  t.teardown(close);
  return { state, said, atStart, close };
}

void t.test('a server is drained and gets calls again while the house runs, and after a restart', async (t) => {
  const { data, servers } = aSite(t);
  const house = await aHouse(t, data);
  const [fs1, fs2] = house.state.media as [ServerHealth & { legs: number }, ServerHealth & { isUp: boolean }];
  const listed = await servers('list', '--json');
  t.match(JSON.parse(listed.out), {
    isUp: true,
    servers: [
      { kind: 'signalling', name: 'east', where: '127.0.0.1:19022', isDraining: false },
      { name: 'fs-1', weight: 3, isDraining: false, now: { isUp: true, legs: 2 } },
      { name: 'fs-2' },
      { name: 'fs-3', isDraining: true, by: '' },
    ],
  });

  const drained = await servers('drain', 'fs-1');
  t.match(drained, { code: 0, out: 'media server fs-1 gets no new calls; 2 legs are left on it.\n' }, drained.err);
  t.equal(fs1.isDraining, true);
  t.match((await servers('list')).out, /fs-1 +127\.0\.0\.1:18021 +3 +up +2 +no \(\w+\)\n.*fs-2 .* yes\n.*no \(conf/);

  t.match(await servers('drain', 'fs-2'), { code: 1, err: /fs-2 is the last media server that gets new calls/ });
  t.match(await servers('drain', 'east'), { code: 1, err: /east is the last signalling server .*: there is no other/ });
  t.match(await servers('drain', 'fs-9'), {
    code: 2,
    err: /fs-9: no such server: there are signalling east, media fs/,
  });
  t.match(await servers('drain', 'fs-1', '--kind', 'signalling'), { code: 2, err: /signalling fs-1: no such server/ });
  t.match(await servers('drain', 'fs-1', '--wait', 'long'), { code: 2, err: /--wait long: must be a number/ });
  t.equal(fs2.isDraining, false, 'and nothing came of any of these');

  t.match(await servers('drain', 'fs-1', '--wait', '0'), { code: 1, out: /2 legs are left/ });
  const waiting = servers('drain', 'fs-1', '--wait', '600');
  fs1.legs = 0;
  t.match(await waiting, { code: 0, out: /nothing is left on it/ });

  t.match(await servers('undrain', 'fs-3'), { code: 0, out: 'media server fs-3 gets new calls.\n' });
  t.match((await servers('list')).out, /fs-3 .* yes\n/, 'the last word counts, not the configuration');
  t.same(house.said.length, 2, house.said.join('\n'));

  await house.close();
  const next = await aHouse(t, data);
  t.same(next.atStart, [true, false, false], 'known before the first call');
  t.match(next.said, [/^media fs-1: no new calls \(\w+\)$/, /^media fs-3: gets calls again/]);
  const [, other, third] = next.state.media as [ServerHealth, { isUp: boolean }, { isUp: boolean }];
  await servers('undrain', 'fs-1');
  other.isUp = false;
  third.isUp = false;
  const refused = await servers('drain', 'fs-1');
  t.match(refused, { code: 1, err: /fs-2, fs-3 would have to take the calls and is not connected/ });
  t.match(await warmCli(['audit', 'verify', '--data', data]), { code: 0 }, 'all of it is on record');
});

void t.test('said before the house is up, it counts when it starts', async (t) => {
  const { data, servers } = aSite(t);
  const said = await servers('drain', 'fs-1');
  t.match(said, { code: 0, out: 'media server fs-1 gets no new calls when the house starts.\n' }, said.err);
  t.match((await servers('list')).out, /fs-1 .* no \(\w+\)[\s\S]*The house is not up\./);
  t.same((await aHouse(t, data)).atStart, [true, false, true]);
});

void t.test('a server that drains takes a call that nobody else can take', async (t) => {
  const one = (name: string, isUp: boolean, isDraining: boolean, weight = 1) => {
    return { name, weight, isDraining, health: { isUp } };
  };
  const random = { below: () => 0, bytes: () => new Uint8Array() };
  const [drains, down, reserve] = [
    one('drains', true, true),
    one('down', false, false),
    one('reserve', true, false, 0),
  ];
  t.equal(lastResort([drains, down, reserve], random), reserve);
  t.equal(lastResort([down, drains], random), drains);
  t.equal(lastResort([down], random), null);
  t.equal(chooseServer([down, drains], random), null, 'the others are waited for first');
});
