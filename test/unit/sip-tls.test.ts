import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect, type ConnectionOptions, createServer, type TLSSocket } from 'node:tls';
import t from 'tap';
import {
  defaultTransportLimits,
  type EndpointOptions,
  silentLogger,
  SipEndpoint,
  type TlsCredentials,
} from '../../src/sip/index.ts';
import { CertificateFiles } from '../../src/sipd/certificate-files.ts';
import { Authority, type Pair } from '../support/certificates.ts';
import { until } from '../support/processes.ts';
import { aMessage } from '../support/torture-messages.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const folder = t.testdir();
const authority = new Authority(folder);
const ours = authority.issue('pbx');

function credentialsOf(pair: Pair, more: Partial<TlsCredentials> = {}): TlsCredentials {
  const [certificate, key] = [readFileSync(pair.certificate, 'utf8'), readFileSync(pair.key, 'utf8')];
  return { certificate, key, authorities: authority.pem, clientCertificates: 'ignored', ...more };
}

/** An endpoint that answers everything, and clients that close with the test. */
async function anEndpoint(t: { teardown(action: () => void): void }, more: Partial<EndpointOptions> = {}) {
  const sources: string[] = [];
  const endpoint = await SipEndpoint.open({
    listen: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }],
    handlers: {
      onRequest: (incoming) => {
        sources.push(incoming.source.protocol);
        incoming.respond(200);
      },
      onCancelled() {},
      onAck() {},
      onDialogEnded() {},
    },
    tls: credentialsOf(ours),
    ...more,
  });
  t.teardown(() => endpoint.close());
  const port = endpoint.addresses[0]?.port ?? 0;
  const dial = async (options: ConnectionOptions = {}) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.pem, ...options });
    t.teardown(() => socket.destroy());
    const client = { socket, heard: '', error: '', isClosed: false };
    let isSecure = false;
    socket.on('secureConnect', () => (isSecure = true));
    socket.on('data', (chunk) => (client.heard += String(chunk)));
    socket.on('error', (error) => (client.error = error.message));
    socket.on('close', () => (client.isClosed = true));
    await until('the end of the handshake', () => client.isClosed || isSecure);
    return client;
  };
  return { endpoint, port, dial, sources };
}

let calls = 0;
const options = () => {
  const mark = `tls${++calls}`;
  return aMessage({ Via: `SIP/2.0/TLS a;branch=z9hG4bK${mark}`, 'Call-ID': mark });
};
const nameOf = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;

void t.test('TLS: answered over 1.2 and 1.3, and over nothing weaker', async (t) => {
  const { dial, sources } = await anEndpoint(t);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const phone = await dial({ maxVersion });
    phone.socket.write(options());
    await until('the answer', () => phone.heard.startsWith('SIP/2.0 200 OK'));
    t.equal(phone.socket.getProtocol(), maxVersion);
    t.match(phone.socket.getCipher().name, /GCM|CHACHA20/);
  }
  t.same(sources, ['tls', 'tls']);
  const weak: ConnectionOptions[] = [
    { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
  ];
  for (const [i, offer] of weak.entries()) {
    const client = await dial(offer);
    // Node's client keeps its own end open when the alert comes while it writes; ours is closed then.
    await until('the refusal', () => client.isClosed || client.error.includes('alert'));
    t.match(client.error, /alert|handshake|unsupported|no protocols/i, `weak offer ${i}`);
    t.equal(client.heard, '');
  }
});

void t.test('TLS: a renewed certificate is shown to the next connection; the running one goes on', async (t) => {
  const { endpoint, dial } = await anEndpoint(t);
  const running = await dial();
  t.equal(nameOf(running.socket), 'pbx');
  const stranger = new Authority(folder, 'stranger').issue('other');
  t.throws(
    () => endpoint.renewCredentials(credentialsOf({ certificate: ours.certificate, key: stranger.key })),
    /certificate and key cannot be used: .*mismatch/,
  );
  t.equal(nameOf((await dial()).socket), 'pbx', 'what cannot be used changes nothing');
  endpoint.renewCredentials(credentialsOf(authority.issue('renewed')));
  t.equal(nameOf((await dial()).socket), 'renewed');
  running.socket.write(options());
  await until('the answer on the first connection', () => running.heard.startsWith('SIP/2.0 200 OK'));
});

void t.test('certificate files: looked at every ten seconds, complained about once, closed to others', (t) => {
  const [a, b] = [authority.issue('a'), authority.issue('b')];
  const files = { ...a, clientCertificates: 'ignored' } as const;
  const clock = new VirtualClock();
  const said: string[] = [];
  const logger = { ...silentLogger, info: (_: object, verb: string) => void said.push(verb) };
  const warned = { ...logger, warn: (_: object, verb: string) => void said.push(verb) };
  const used: string[] = [];
  const watched = new CertificateFiles(files);
  t.equal(watched.credentials.certificate, readFileSync(a.certificate, 'utf8'));
  watched.watch(clock, warned, ({ certificate, key }) => {
    used.push(certificate);
    if (key !== readFileSync(b.key, 'utf8')) throw new Error('does not fit');
  });
  clock.advance(60_000);
  t.same(said, [], 'nothing has changed');
  copyFileSync(b.certificate, a.certificate);
  clock.advance(60_000);
  t.same(said, ['certificate not renewed'], 'half of a pair');
  copyFileSync(b.key, a.key);
  clock.advance(10_000);
  t.same(said, ['certificate not renewed', 'certificate renewed']);
  t.equal(used.length, 2);
  watched.close();
  t.equal(clock.pending, 0);
  t.throws(() => new CertificateFiles({ ...files, certificate: `${folder}/none` }), /none cannot be read: ENOENT/);
  t.throws(() => new CertificateFiles({ ...files, certificate: import.meta.filename }), /no PEM file/);
  t.end();
});

void t.test('TLS: whoever never finishes the handshake is cut off, and counts while it lasts', async (t) => {
  const clock = new VirtualClock();
  const limits = { ...defaultTransportLimits, tcpMessageWithinMs: 60, tcpConnectionsPerSource: 2 };
  const { endpoint, port, dial } = await anEndpoint(t, { clock, limits });
  const mute = Array.from({ length: 2 }, () => connectTcp(port, '127.0.0.1'));
  let closed = 0;
  let connected = 0;
  for (const socket of mute) {
    t.teardown(() => socket.destroy());
    socket
      .on('close', () => (closed += 1))
      .on('connect', () => (connected += 1))
      .on('error', () => {});
  }
  await until('both to be connected', () => connected === 2);
  const third = await dial();
  await until('the third to be refused', () => third.isClosed && endpoint.transportCounters.tcpRefused === 1);
  await until('the end of patience', () => {
    clock.advance(1);
    return closed === 2;
  });
  const phone = await dial();
  phone.socket.write(options());
  await until('an honest one to be served', () => phone.heard.startsWith('SIP/2.0 200 OK'));
});

void t.test('TLS: with client certificates required, only whoever shows one of ours is heard', async (t) => {
  const { dial } = await anEndpoint(t, { tls: credentialsOf(ours, { clientCertificates: 'required' }) });
  const stranger = new Authority(folder, 'elsewhere').issue('stranger');
  for (const pair of [undefined, stranger]) {
    const shown = pair && { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) };
    const client = await dial({ ...shown });
    client.socket.write(options());
    await until('the refusal', () => client.isClosed);
    t.equal(client.heard, '');
  }
  const known = authority.issue('phone');
  const client = await dial({ cert: readFileSync(known.certificate), key: readFileSync(known.key) });
  client.socket.write(options());
  await until('the answer', () => client.heard.startsWith('SIP/2.0 200 OK'));
});

void t.test('TLS: we call nobody whose certificate is not of the name we called, and say nothing before', async (t) => {
  const { endpoint } = await anEndpoint(t);
  const heard: string[] = [];
  const carrier = createServer({ cert: readFileSync(ours.certificate), key: readFileSync(ours.key) }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => heard.push(String(chunk)));
  });
  carrier.on('tlsClientError', () => {});
  carrier.listen(0, '127.0.0.1');
  await once(carrier, 'listening');
  t.teardown(() => carrier.close());
  const { port } = carrier.address() as { port: number };
  const statuses: number[] = [];
  const ask = (uri: string) =>
    endpoint.request({ method: 'OPTIONS', uri }, { onResponse: (response) => void statuses.push(response.status) });
  t.equal(ask(`sip:x@localhost:${port};transport=tls`).kind, 'sent');
  await until('the request', () => heard.length === 1);
  t.match(heard[0], /^OPTIONS sip:x@localhost.*\r\nVia: SIP\/2\.0\/TLS /);
  t.equal(ask(`sips:x@127.0.0.1:${port}`).kind, 'sent', 'its address is in the certificate too');
  await until('the second request', () => heard.length === 2);

  carrier.setSecureContext({ ...(({ certificate, key }) => ({ cert: certificate, key }))(credentialsOf(elsewhere())) });
  t.equal(ask(`sip:x@localhost.:${port};transport=tls`).kind, 'sent');
  await until('the failure', () => statuses.length === 1);
  t.same(statuses, [503]);
  t.equal(heard.length, 2, 'not a byte');
});

/** Signed by us, for a name that nobody calls. */
function elsewhere(): Pair {
  return new Authority(folder, 'unknown').issue('carrier');
}

void t.test('TLS: it is not listened on without a certificate', async (t) => {
  const listen = [{ protocol: 'tls', host: '127.0.0.1', port: 0 }] as const;
  const handlers = { onRequest() {}, onCancelled() {}, onAck() {}, onDialogEnded() {} };
  await t.rejects(
    SipEndpoint.open({ listen, handlers }),
    /cannot listen on tls\/127\.0\.0\.1:0: it needs a certificate/,
  );
  const tls = credentialsOf({ certificate: ours.certificate, key: authority.issue('misfit').key });
  await t.rejects(SipEndpoint.open({ listen, handlers, tls }), /certificate and key cannot be used/);
});
