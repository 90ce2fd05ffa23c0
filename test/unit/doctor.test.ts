import { spawn } from 'node:child_process';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { refuseWellKnownSecrets } from '../../src/cli/app/links.ts';
import { certificate } from '../../src/cli/doctor/certificate.ts';
import { clock, clockAgainst } from '../../src/cli/doctor/clock.ts';
import { drachtioFindings } from '../../src/cli/doctor/drachtio-file.ts';
import { coreFiles, defaultBuffer } from '../../src/cli/doctor/machine.ts';
import { swap } from '../../src/cli/doctor/memory-only.ts';
import { alsoReachedAt } from '../../src/cli/doctor/reach.ts';
import { versionFault } from '../../src/cli/doctor/versions.ts';
import { wayToReflector, waysToTrunks } from '../../src/cli/doctor/ways-out.ts';
import { type Config, loadConfig } from '../../src/config/index.ts';
import { alteredEchoes, reflect, reflectedIn } from '../../src/cli/sip-reflection.ts';
import type { TelephonyOptions } from '../../src/telephony/index.ts';
import { Authority } from '../support/certificates.ts';
import { asInExamples, folderOf } from '../support/freeswitch-examples.ts';
import { ROOT } from '../support/root.ts';
import { warmCli } from '../support/warm-cli.ts';

// What `wardline doctor` finds outside of the house: servers, machine, and the way to others.

function aConfig(set: Readonly<Record<string, unknown>>): Config {
  const loaded = loadConfig({ set: Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`) }, {});
  if (loaded.kind === 'bad') throw new Error(loaded.problems.join('\n'));
  return loaded.value;
}

void t.test('the certificate for SIP: its end, its key, and who can read that', (t) => {
  const folder = t.testdir();
  const authority = new Authority(folder);
  const [good, short, other] = [
    authority.issue('good'),
    authority.issue('short', { days: 10 }),
    authority.issue('other'),
  ];
  const look = ({ certificate: file, key }: { certificate: string; key: string }, now?: Date) =>
    certificate(aConfig({ 'sip.tls.certificate': file, 'sip.tls.key': key }), now)[0];
  t.same(certificate(aConfig({})), [], 'none, and none needed');
  t.match(look(good), { state: 'good', says: /^valid until 20\d\d-\d\d-\d\d, its key readable by its owner alone$/ });
  t.match(look(short), { state: 'note', says: /short.pem expires in 9 days$|short.pem expires in 10 days$/ });
  t.match(look(short, new Date(Date.now() + 11 * 86_400_000)), {
    state: 'bad',
    says: /has expired on 20.*phones refuse/,
  });
  t.match(look(short, new Date(Date.now() - 86_400_000)), { state: 'bad', says: /is valid only from/ });
  t.match(look({ ...good, key: other.key }), { state: 'bad', says: /other.key is not the key of .*good.pem/ });
  t.match(look({ ...good, key: join(folder, 'none') }), { state: 'bad', says: /ENOENT/ });
  chmodSync(other.key, 0o640);
  t.match(look(other), { state: 'note', says: /a group can read/ });
  chmodSync(other.key, 0o644);
  t.match(look(other), { state: 'bad', says: /everybody on this machine can read/, remedy: /chmod o=/ });
  t.end();
});

/** An event socket that answers `api` with what it is given; its ACL and its secret are for the test to choose. */
async function anEventSocket(t: Test, host: string, says: Readonly<Record<string, string>>): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write('Content-Type: auth/request\n\n');
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [command = ''] = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const body = command.startsWith('api ') ? (says[command.slice(4).trim()] ?? '') : null;
        socket.write(
          body === null
            ? 'Content-Type: command/reply\nReply-Text: +OK accepted\n\n'
            : `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`,
        );
      }
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

void t.test('a FreeSWITCH as its examples have it: all four faults, each with place, reason and remedy', async (t) => {
  const folder = folderOf(t, asInExamples);
  const port = await anEventSocket(t, '0.0.0.0', {
    status: 'UP 0 years, 0 days',
    'sofia status': '  drachtio_mrf  profile  sip:mod_sofia@127.0.0.1:5090  RUNNING (0)',
    version: 'FreeSWITCH Version 1.10.11-release~64bit',
    'global_getvar conf_dir': folder,
    ...Object.fromEntries(['mod_sndfile'].map((name) => [`module_exists ${name}`, 'false'])),
  });
  const server = { name: 'fs-1', host: '127.0.0.1', port, secret: 'ClueCon' };
  const data = join(t.testdirName, 'data');
  const doctor = await warmCli([
    'doctor',
    '--json',
    '--data',
    data,
    '--set',
    `media.servers=${JSON.stringify([server])}`,
  ]);
  t.equal(doctor.code, 1, doctor.err);
  const { findings } = JSON.parse(doctor.out) as { findings: { check: string; state: string; says: string }[] };
  const bad = findings.filter(({ check, state }) => state === 'bad' && check.startsWith('media fs-1'));
  const wanted: readonly Readonly<Record<string, string | RegExp>>[] = [
    { check: 'media fs-1', says: /has not loaded mod_sndfile/, remedy: /modules\.conf\.xml/ },
    { check: 'media fs-1', says: /its secret is the well-known ClueCon/, remedy: /openssl rand/ },
    { check: 'media fs-1', says: /version 1\.10\.11, older than 1\.10\.12/, remedy: /newer/ },
    { check: 'media fs-1', says: /answers on [\d.:a-f]+ too: it listens on all addresses/, remedy: /127\.0\.0\.1/ },
    { check: 'media fs-1, FreeSWITCH secret', says: /event_socket\.conf\.xml:3.*ClueCon/, remedy: /prepare/ },
    { check: 'media fs-1, FreeSWITCH event socket', says: /event_socket\.conf\.xml:2: listen-ip is "::"/ },
    { check: 'media fs-1, FreeSWITCH ACL', says: /no apply-inbound-acl/, remedy: /default="deny"/ },
    { check: 'media fs-1, FreeSWITCH passwords', says: /default_password is the well-known 1234/, remedy: /directory/ },
  ];
  for (const one of wanted)
    t.ok(
      bad.some((finding) => matches(finding, one)),
      `${one.check}: ${String(one.says)}`,
    );
  t.ok(bad.every(({ says }) => !says.includes('FreeSWITCH configuration')));
});

function matches(finding: object, wanted: Readonly<Record<string, string | RegExp>>): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const said = String((finding as Record<string, unknown>)[key]);
    return typeof value === 'string' ? said === value : value.test(said);
  });
}

void t.test('the folder that is named is looked through also where the server is down', async (t) => {
  const config = folderOf(t, asInExamples);
  const server = { host: '127.0.0.1', port: 9, secret: 'a-secret-that-is-long-enough', config };
  const { out } = await warmCli([
    ...['doctor', '--data', join(t.testdirName, 'data')],
    ...['--set', `media.servers=${JSON.stringify([server])}`],
  ]);
  t.match(out, /BAD +media 127\.0\.0\.1:9: .*ECONNREFUSED/);
  t.match(out, /BAD +media 127\.0\.0\.1:9, FreeSWITCH ACL: /);
});

void t.test('a server in a container answers here and has files of its own', async (t) => {
  const port = await anEventSocket(t, '127.0.0.1', {
    status: 'UP 0 years, 0 days',
    version: 'FreeSWITCH Version 1.10.12-release~64bit',
    'global_getvar conf_dir': join(t.testdirName, 'elsewhere'),
  });
  const server = { name: 'fs-1', host: '127.0.0.1', port, secret: 'a-secret-that-is-long-enough' };
  const { out } = await warmCli([
    ...['doctor', '--data', join(t.testdirName, 'data')],
    ...['--set', `media.servers=${JSON.stringify([server])}`],
  ]);
  t.match(out, /note +media fs-1: its configuration folder was not looked at/);
  t.notMatch(out, /there is no configuration/);
});

void t.test('a control port is shut to the outside when no other address of the machine answers', async (t) => {
  const open = await anEventSocket(t, '0.0.0.0', {});
  const shut = await anEventSocket(t, '127.0.0.1', {});
  t.match(await alsoReachedAt('127.0.0.1', open), /^[\d.:a-f]+$/);
  t.equal(await alsoReachedAt('127.0.0.1', shut), null);
  t.equal(await alsoReachedAt('192.0.2.77', open), null, 'of another machine nothing is known');
});

void t.test('versions', async (t) => {
  t.match(versionFault('FreeSWITCH', 'FreeSWITCH Version 1.10.9-release'), 'is version 1.10.9, older than 1.10.12');
  t.equal(versionFault('FreeSWITCH', 'FreeSWITCH Version 1.10.12-release~64bit'), null);
  t.equal(versionFault('FreeSWITCH', 'FreeSWITCH Version 1.11.0+git~20260801'), null);
  t.equal(versionFault('FreeSWITCH', 'no idea'), null);
  t.match(versionFault('drachtio-server', 'v0.8.26'), 'is version 0.8.26, older than 0.9.0');
  for (const good of ['v0.9.10', 'v0.10.0', 'v1.0.0']) t.equal(versionFault('drachtio-server', good), null);
});

void t.test('drachtio-server: ours is good, one as in its image is not', async (t) => {
  t.match(drachtioFindings(join(ROOT, 'freeswitch-conf/drachtio-server/drachtio.conf.xml')), [{ state: 'good' }]);
  const file = join(t.testdir({}), 'drachtio.conf.xml');
  const look = (text: string) => {
    writeFileSync(file, text);
    return drachtioFindings(file);
  };
  const asInImage = `<drachtio>
    <!-- <admin secret="a-secret-that-is-long-enough">127.0.0.1</admin> -->
    <admin port="9022" secret="cymru">0.0.0.0</admin>
    <logging><loglevel>info</loglevel></logging></drachtio>`;
  t.match(look(asInImage), [
    { state: 'bad', says: /drachtio\.conf\.xml:3: the secret is the well-known cymru/, remedy: /DRACHTIO_SECRET/ },
    { state: 'bad', says: /:3: the control port, .* listens on all addresses/, remedy: /127\.0\.0\.1/ },
    { state: 'bad', says: /:4: loglevel "info" writes the numbers/, remedy: /warning/ },
  ]);
  t.match(look('<drachtio><admin port="9022">127.0.0.1</admin></drachtio>'), [{ says: /not set, .* takes admin/ }]);
  t.match(look('<drachtio></drachtio>'), [{ says: /not set/ }, { says: /all addresses/ }]);
  t.match(drachtioFindings(join(t.testdirName, 'none')), [{ state: 'bad', says: /cannot be read \(ENOENT\)/ }]);
});

async function udp(t: Test, heard: (bytes: Buffer, from: AddressInfo, socket: UdpSocket) => void): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => heard(bytes, { address, port, family: 'IPv4' }, socket));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket.address().port;
}

/** A router between us and `port`: what it forwards it may alter, each way. */
async function aRouter(t: Test, port: number, there: (text: string) => string, back = (text: string) => text) {
  let client: AddressInfo | null = null;
  return udp(t, (bytes, from, socket) => {
    if (from.port === port && client !== null) {
      return socket.send(back(bytes.toString('latin1')), client.port, client.address);
    }
    client = from;
    socket.send(there(bytes.toString('latin1')), port, '127.0.0.1');
  });
}

const asAlg = (text: string) =>
  text.replace(/(Via: SIP\/2\.0\/UDP |Contact: <sip:doctor@|Call-ID: .*@)127\.0\.0\.1/g, '$1203.0.113.9');

void t.test('a router that rewrites SIP on the way to a carrier is found by what the carrier sends back', async (t) => {
  const carrier = await udp(t, (bytes, from, socket) => {
    const answer = reflect(bytes.toString(), { host: from.address, port: from.port }) ?? '';
    socket.send(answer.replace(/\r\n\r\n[\s\S]*/, '\r\n\r\n'), from.port, from.address);
  });
  const through = async (port: number) =>
    waysToTrunks(
      aConfig({ 'trunks.carrier.target': `sip:127.0.0.1:${port};transport=udp`, 'sip.advertise': '10.0.0.5' }),
    );
  const found = async (there: (text: string) => string, back?: (text: string) => string) =>
    through(await aRouter(t, carrier, there, back));

  t.match(await found((text) => text), [
    {
      check: 'way to trunk carrier',
      state: 'good',
      says: /^udp 127\.0\.0\.1:\d+ answers 200, and nothing was rewritten/,
    },
  ]);
  t.match(await found(asAlg), [
    {
      state: 'bad',
      says: /rewritten on the way: Via: .*127\.0\.0\.1.* became .*203\.0\.113\.9.* \(and 1 more\)/,
      remedy: /SIP ALG/,
    },
  ]);
  t.match(
    await found(
      (text) => text,
      (text) => text.replace('CSeq: 1', 'CSeq: 2'),
    ),
    [{ state: 'bad', says: /CSeq: 1 OPTIONS became 2 OPTIONS/ }],
  );
  const asNat = (text: string) => text.replace(/received=127\.0\.0\.1/, 'received=198.51.100.4');
  t.match(await found((text) => text, asNat), [
    {
      state: 'note',
      says: /sees this machine as 198\.51\.100\.4, and is told 10\.0\.0\.5/,
      remedy: /sip\.advertise=198\.51\.100\.4/,
    },
  ]);
  t.match(await through(await udp(t, (_, from, socket) => socket.send('no SIP', from.port, from.address))), [
    { state: 'note', says: /does not speak SIP, so a SIP ALG/, remedy: /--reflector/ },
  ]);
  t.same(await waysToTrunks(aConfig({})), [], 'without a trunk nobody is asked');
});

void t.test('a reflector also shows what is rewritten and put back, in the description of sound too', async (t) => {
  const child = spawn(process.execPath, ['src/main.ts', 'reflect', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  const port = Number(/udp 127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1]);
  const look = async (at: number | string) =>
    wayToReflector(aConfig({}), typeof at === 'string' ? at : `127.0.0.1:${at}`);

  t.match(await look(port), [{ check: 'way to reflector', state: 'good' }]);
  const undone = (text: string) => text.replaceAll('203.0.113.9', '127.0.0.1');
  t.match(await look(await aRouter(t, port, asAlg, undone)), [{ state: 'bad', says: /Via: .* became Via: .*203/ }]);
  const sound = (text: string) => text.replace('c=IN IP4 127.0.0.1', 'c=IN IP4 203.0.113.9');
  t.match(await look(await aRouter(t, port, sound)), [
    { state: 'bad', says: /c=IN IP4 127\.0\.0\.1 became c=IN IP4 203\.0\.113\.9/, remedy: /SIP ALG/ },
  ]);
  t.match(await look('nowhere'), [{ state: 'bad', says: /must read address:port/ }]);
  const other = await udp(t, (_, from, socket) => socket.send('SIP/2.0 200 OK\r\n\r\n', from.port, from.address));
  t.match(await look(other), [{ state: 'bad', says: /is no "wardline reflect"/ }]);

  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  t.equal(code, 0);
});

void t.test('what is reflected is what came; anything but an OPTIONS is not answered', async (t) => {
  const from = { host: '192.0.2.9', port: 1 };
  const request =
    'OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z;rport\r\nf: <sip:a@b>;tag=1\r\nt: <sip:b>\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n';
  const answer = reflect(request, from) ?? '';
  t.equal(reflectedIn(answer), request);
  t.match(answer, '\r\nVia: SIP/2.0/UDP h;branch=z;received=192.0.2.9;rport=1\r\n');
  t.same(alteredEchoes(request, answer), [], 'compact names are read too');
  t.equal(reflectedIn('SIP/2.0 200 OK\r\n\r\n'), null);
  for (const bad of [
    '',
    'x',
    request.replace('OPTIONS', 'INVITE'),
    request.replace('CSeq', 'CSock'),
    request.slice(0, 40),
  ]) {
    t.equal(reflect(bad, from), null, bad.slice(0, 20));
  }
});

void t.test('a house does not start on a secret that everybody knows', async (t) => {
  const options = (secret: string, kind: 'signalling' | 'media') => {
    const own = { name: 'own', host: '127.0.0.1', port: 1, secret: 'a-secret-that-is-long-enough' };
    const servers = { signalling: { servers: [own] }, media: { servers: [own] } };
    return { ...servers, [kind]: { servers: [own, { ...own, name: 'bad', secret }] } } as unknown as TelephonyOptions;
  };
  for (const [secret, kind] of [
    ['ClueCon', 'media'],
    ['1234', 'media'],
    ['cymru', 'signalling'],
  ] as const) {
    t.throws(() => refuseWellKnownSecrets(options(secret, kind)), {
      message: new RegExp(`^${kind} server bad: its secret is the well-known ${secret}: .*openssl`),
    });
  }
  refuseWellKnownSecrets(options('an-own-secret', 'media'));
});

void t.test('the clock: can it be right, does something keep it, what does a time server say', async (t) => {
  const now = new Date('2099-01-01T00:00:00Z');
  t.match(clock(new Date('2019-01-01T00:00:00Z')), { state: 'bad', says: /cannot be right/ });
  t.match(
    clock(now, () => false),
    { state: 'note', says: /nothing is seen here/, remedy: /set-ntp/ },
  );
  t.match(
    clock(now, (file) => file.includes('chrony/')),
    { state: 'good', says: /kept by chronyd/ },
  );

  const timeServer = (aheadS: number, stratum = 2) =>
    udp(t, (question, from, socket) => {
      const answer = Buffer.alloc(48);
      answer[0] = 0x24;
      answer[1] = stratum;
      question.copy(answer, 24, 40, 48);
      for (const at of [32, 40]) answer.writeUInt32BE(Math.floor(Date.now() / 1000) + 2_208_988_800 + aheadS, at);
      socket.send(Buffer.from('an answer to somebody else'), from.port, from.address);
      socket.send(answer, from.port, from.address);
    });
  const ask = async (port: Promise<number>) => clockAgainst(`127.0.0.1:${await port}`);
  t.match(await ask(timeServer(3600)), { state: 'bad', says: /^3(600|599)\.\d+ s behind 127/, remedy: /chrony/ });
  t.match(await ask(timeServer(-3600)), { state: 'bad', says: /^360[01]\.\d+ s ahead of 127/ });
  t.match(await ask(timeServer(3)), { state: 'note', says: /s behind/ });
  t.match(await ask(timeServer(0, 16)), { state: 'note', says: /does not know the time itself/ });
  t.match(await clockAgainst('time.example'), { state: 'bad', says: /is no address/ });
});

void t.test('memory stays off the disks: swap that is not encrypted is told of in any house', async (t) => {
  const swaps = 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 8388604 0 -2\n';
  const safeDevices = new Set<string>();
  t.match(swap({ swaps: swaps.split('\n')[0] ?? '', safeDevices }, false), { state: 'good', says: 'is off' });
  t.match(swap({ swaps, safeDevices }, false), { state: 'note', says: /sda2 is not encrypted: keys of messages/ });
  t.match(swap({ swaps, safeDevices }, true), { state: 'bad', says: /what patients say can get onto a disk/ });
  t.match(swap({ swaps, safeDevices: new Set(['sda2']) }, true), { state: 'good' });
});

void t.test('the machine: buffers of drachtio-server, core files', async (t) => {
  t.match(defaultBuffer('212992\n'), { state: 'note', says: /rmem_default is 212992: a flood/, remedy: /sysctl -w/ });
  t.match(defaultBuffer('8388608\n'), { state: 'good' });
  const limits = (size: string) =>
    `Limit  Soft Limit Hard Limit Units\nMax core file size        ${size}  unlimited bytes\n`;
  t.match(coreFiles(limits('0'), '00000000\n'), { state: 'good', says: 'are not written' });
  t.match(coreFiles(limits('0'), '00000033\n'), { state: 'good' });
  t.match(coreFiles(limits('unlimited'), '00000033\n'), { state: 'note', remedy: /LimitCORE=0/ });
  t.match(coreFiles(limits('unlimited'), '00000000\n'), { state: 'good', says: /nothing of its memory/ });
});
