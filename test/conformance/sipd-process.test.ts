import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { until } from '../support/processes.ts';

const main = join(import.meta.dirname, '../../src/sipd/main.ts');
const good = {
  sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
  control: { port: 0 },
  secret: 'a secret of the test',
};

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly code: Promise<number | null>;
}

function run(file: string): Run {
  const child = spawn(process.execPath, [main, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  return { child, out: () => out, err: () => err, code: once(child, 'close').then(([code]) => code as number | null) };
}

void t.test('the process: ready line, SIGTERM, port in use', async (t) => {
  const folder = t.testdir();
  const file = (name: string, options: unknown, mode = 0o600) => {
    const path = join(folder, name);
    writeFileSync(path, typeof options === 'string' ? options : JSON.stringify(options));
    chmodSync(path, mode);
    return path;
  };
  const first = run(file('good.json', good));
  const line = await until('the ready line', () => first.out().includes('\n') && first.out());
  const ready = JSON.parse(line) as { ready: boolean; control: { host: string; port: number }; sip: string[] };
  t.equal(ready.ready, true);
  t.equal(ready.control.host, '127.0.0.1');
  t.match(ready.sip, [/^udp\/127\.0\.0\.1:\d+$/]);
  const socket = connect(ready.control);
  await once(socket, 'connect');
  socket.destroy();

  const port = Number(ready.sip[0]?.split(':').at(-1));
  const taken = run(file('taken.json', { ...good, sip: [{ protocol: 'udp', host: '127.0.0.1', port }] }));
  t.equal(await taken.code, 1);
  t.match(taken.err(), `cannot listen on udp/127.0.0.1:${port}: the port is in use`);
  const takenControl = run(file('control.json', { ...good, control: { port: ready.control.port } }));
  t.equal(await takenControl.code, 1);
  t.match(takenControl.err(), /cannot listen for apps on tcp\/127\.0\.0\.1:\d+: the port is in use/);

  first.child.kill('SIGTERM');
  t.equal(await first.code, 0);
  t.notMatch(first.err(), good.secret);

  const refusals: [string, unknown, RegExp, number?][] = [
    ['short', { ...good, secret: 'cymru' }, /secret must have at least 16 characters/],
    ['empty', { ...good, secret: '' }, /secret must have at least 16 characters/],
    [
      'tls',
      { ...good, sip: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }] },
      /cannot listen on tls\/127\.0\.0\.1:0: it needs a certificate and a key, and has none/,
    ],
    ['sctp', { ...good, sip: [{ protocol: 'sctp', host: '127.0.0.1', port: 0 }] }, /Invalid option: expected one of "udp"/],
    [
      'open key',
      { ...good, tls: { certificate: file('c.pem', '-----BEGIN x'), key: file('k.pem', '-----BEGIN x', 0o604) } },
      /everybody on this machine can read the key .*k.pem: run chmod o= on it/,
    ],
    ['unknown', { ...good, colour: 'red' }, /colour/],
    ['broken', '{', /is not JSON/],
    ['open', good, /others can read it: run chmod 600/, 0o644],
    [
      'address',
      { ...good, sip: [{ protocol: 'udp', host: '203.0.113.9', port: 0 }] },
      /this machine has no such address/,
    ],
  ];
  const runs = refusals.map(([name, options, expected, mode]) => ({
    expected,
    it: run(file(`${name}.json`, options, mode)),
  }));
  for (const { expected, it } of runs) {
    t.equal(await it.code, 1);
    t.match(it.err(), expected);
    t.equal(it.out(), '');
  }
});
