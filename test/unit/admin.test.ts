import { createServer } from 'node:net';
import t from 'tap';
import { type House, startAdmin } from '../../src/admin/index.ts';

function house(isReady: boolean): House {
  return {
    readiness: () => ({
      isReady,
      parts: [{ part: 'sipd', isGood: isReady, says: isReady ? 'connected' : 'not connected' }],
    }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'wardline_calls 1\n' }),
    calendar: async () => 'unknown',
  };
}

t.test('health, readiness and metrics on loopback', async (t) => {
  for (const isReady of [true, false]) {
    const admin = await startAdmin({ listen: '127.0.0.1:0', publicUrl: '' }, house(isReady));
    if (admin.kind !== 'listening') return t.fail(admin.problem);
    const url = `http://127.0.0.1:${admin.port}`;
    t.equal((await fetch(`${url}/healthz`)).status, 200, 'alive also while it is not ready');
    const ready = await fetch(`${url}/readyz`);
    t.equal(ready.status, isReady ? 200 : 503);
    t.match(await ready.json(), { isReady, parts: [{ part: 'sipd' }] });
    const metrics = await fetch(`${url}/metrics`);
    t.equal(await metrics.text(), 'wardline_calls 1\n');
    t.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    await admin.close();
  }
});

t.test('an address that others can reach is refused', async (t) => {
  for (const host of ['0.0.0.0', '[::]', '192.0.2.1', 'example.org', '127.0.0.1.example.org', '127.0.0.999']) {
    const admin = await startAdmin({ listen: `${host}:0`, publicUrl: '' }, house(true));
    t.match(admin, { kind: 'refused', problem: /can be reached from other machines/ }, host);
  }
});

t.test('a page of another site cannot read it through DNS rebinding', async (t) => {
  const admin = await startAdmin({ listen: '127.0.0.1:0', publicUrl: '' }, house(true));
  if (admin.kind !== 'listening') return t.fail(admin.problem);
  const { request } = await import('node:http');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(
      { host: '127.0.0.1', port: admin.port, path: '/metrics', headers: { host: 'evil.example' } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  t.equal(status, 421);
  await admin.close();
});

t.test('a taken port is named, with what to do', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const admin = await startAdmin({ listen: `127.0.0.1:${port}`, publicUrl: '' }, house(true));
  t.match(admin, { kind: 'refused' });
  t.match(admin.kind === 'refused' ? admin.problem : '', `TCP 127.0.0.1:${port} is in use by another program`);
  other.close();
});
