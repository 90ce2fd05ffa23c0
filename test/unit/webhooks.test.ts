import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { phi } from '../../src/core/phi/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import { HttpLookups, HttpPosts } from '../../src/webhooks/index.ts';

type Answerer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A program of the house on loopback. */
async function program(t: Test, answer: Answerer): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/team`;
}

const lookups = (allow: string[] = ['127.0.0.1']) => new HttpLookups({ clock: systemClock, options: { allow } });
const question = (url: string, waitMs = 10_000) => ({
  hook: 'team',
  url,
  waitMs,
  told: { call: 'K7QX-2M4D' },
  caller: null,
});
const says =
  (text: string, status = 200): Answerer =>
  (_request, response) => {
    response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' });
    response.end(text);
  };

void t.test('a program is told what the plan says, and answers with one word', async (t) => {
  let heard = '';
  const url = await program(t, (request, response, body) => {
    heard = `${request.method} ${request.url} ${request.headers['content-type']} ${body}`;
    response.end('{"answer":"cardiology"}');
  });
  const answer = await lookups().ask({ ...question(url), caller: phi('+13125550177') });
  t.same(answer, { kind: 'answered', answer: 'cardiology' });
  t.equal(heard, 'POST /team application/json {"call":"K7QX-2M4D","caller":"+13125550177"}');
});

void t.test('whatever a program does, there is an answer or a reason', async (t) => {
  const cases: readonly [what: string, answer: Answerer, why: RegExp][] = [
    ['an error', says('no', 500), /status 500/],
    ['a redirect', says('', 302), /status 302/],
    ['no JSON', says('cardiology'), /not \{"answer"/],
    ['a number to dial', says('{"answer":"+19005551234"}'), /not \{"answer"/],
    ['nothing', says('null'), /not \{"answer"/],
    ['too much', says('x'.repeat(100_000)), /too long/],
    ['a closed connection', (request) => request.socket.destroy(), /hang up|ECONNRESET/],
    [
      'half an answer',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{');
        setImmediate(() => request.socket.destroy());
      },
      /abort|ECONNRESET/,
    ],
  ];
  for (const [what, answer, why] of cases) {
    const told = await lookups().ask(question(await program(t, answer)));
    t.match(told, { kind: 'failed', why }, what);
  }
  const silent = await program(t, () => {});
  t.same(await lookups().ask(question(silent, 30)), { kind: 'failed', why: 'time is up' });
  const nobody = silent.replace(/:\d+\//, ':1/');
  t.match(await lookups().ask(question(nobody)), { kind: 'failed', why: /ECONNREFUSED/ });
});

void t.test('what was sent to the end and not answered may have arrived; what found nobody has not', async (t) => {
  const posts = new HttpPosts({ clock: systemClock, options: { allow: ['127.0.0.0/8', '::1'] } });
  const breaks = await program(t, (request) => request.socket.destroy());
  t.match(await posts.post(breaks, {}, 10_000), { kind: 'failed', isUnsure: true });
  const nobody = { kind: 'failed', isUnsure: false, why: /ECONNREFUSED/ };
  t.match(await posts.post('http://127.0.0.1:1/', {}, 10_000), nobody);
  // All its addresses are tried, which is an error without a message.
  t.match(await posts.post('http://localhost:1/', {}, 10_000), nobody);
});

void t.test('addresses of the house are asked only where that is allowed', async (t) => {
  const url = await program(t, says('{"answer":"here"}'));
  const port = new URL(url).port;
  const hidden = ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost', '2130706433', '0x7f.1', '0.0.0.0'];
  for (const host of hidden) {
    const answer = await lookups([]).ask(question(`http://${host}:${port}/team`));
    t.match(answer, { kind: 'failed', why: /one of the house itself/ }, host);
  }
  t.match(await lookups(['127.0.0.0/8', '::1']).ask(question(`http://localhost:${port}/team`)), { kind: 'answered' });
  for (const private_ of ['10.0.0.1', '169.254.169.254', '192.168.1.1', '172.20.0.1', '[fd00::1]', '[fe80::1]']) {
    t.match(
      await lookups().ask(question(`http://${private_}/`)),
      { kind: 'failed', why: /one of the house/ },
      private_,
    );
  }
  t.throws(() => lookups(['10.0.0.0/99']), /webhooks\.allow: 10\.0\.0\.0\/99/);
});

void t.test('more questions than can be asked at once are not asked', async (t) => {
  const waiting: ServerResponse[] = [];
  const url = await program(t, (_request, response) => void waiting.push(response));
  const all = lookups();
  const asked = Array.from({ length: 100 }, () => all.ask(question(url)));
  t.match(await all.ask(question(url)), { kind: 'failed', why: /100 programs/ });
  while (waiting.length < 100) await new Promise((resolve) => setImmediate(resolve));
  for (const response of waiting) response.end('{"answer":"here"}');
  t.equal((await Promise.all(asked)).filter(({ kind }) => kind === 'answered').length, 100);
});
