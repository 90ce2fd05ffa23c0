// One file of drachtio-srf's test suite, inside a network of its own:  srf-bed.js SUITE SERVER FILE LOGS
// What the suite would start in containers is read from its own list of them: SIPp and the servers run here under the
// addresses and names the list gives them, and a `docker` of our own starts SIPp when a test asks for it.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { root } from './install.js';

const [suite, server, file, logs] = process.argv.slice(2);
const secret = 'secret of the srf suite';
const work = join(tmpdir(), `srf-bed-${process.hrtime.bigint()}`);
const { services } = parse(readFileSync(join(suite, 'test', 'docker-compose-testbed.yaml'), 'utf8'));
const places = Object.entries(services).map(([name, service]) => ({
  name,
  image: service.image,
  command: service.command.split(' '),
  address: Object.values(service.networks)[0].ipv4_address,
  controlPort: Number(String(service.ports?.[0] ?? '0').split(':')[0]),
}));
const servers = places.filter(({ image }) => image.includes('drachtio-server'));
const phones = places.filter(({ image }) => image.includes('sipp'));
const networkOf = (address) => address.slice(0, address.lastIndexOf('.'));

mkdirSync(work, { recursive: true });
mkdirSync(logs, { recursive: true });
layOut();
serveNames();
for (const place of servers) startServer(place);
for (const { name, address, command } of phones) {
  const scenario = command.map((word) => (word.startsWith('/tmp/') ? wellFormed(word.slice('/tmp/'.length)) : word));
  start(name, 'sipp', [...scenario.slice(1), '-i', address, '-p', '5060', '-nostdin']);
}
await Promise.all(servers.map(({ controlPort }) => reachable(controlPort)));
await bound(phones.length + servers.length);
process.exit(await test());

/** Addresses, names, the client library that Wardline uses, and the stand-ins of docker. */
function layOut() {
  sh('ip', ['link', 'set', 'lo', 'up']);
  const callers = Array.from({ length: 50 }, (_, i) => `${networkOf(servers[0].address)}.${100 + i}`);
  for (const address of [...places.map((place) => place.address), ...callers])
    sh('ip', ['address', 'add', `${address}/16`, 'dev', 'lo']);
  const hosts = places.map(({ name, address }) => `${address} ${name}`);
  writeFileSync(join(work, 'hosts'), ['127.0.0.1 localhost', ...hosts, ''].join('\n'));
  sh('mount', ['--bind', join(work, 'hosts'), '/etc/hosts']);
  sh('mount', ['--bind', join(root, 'node_modules', 'drachtio-srf', 'lib'), join(suite, 'lib')]);
  // docker run … -v FROM:TO … IMAGE sipp …: the same SIPp under an address of its own.
  const docker = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -v) from=\${2%%:*} to=\${2#*:}; shift 2 ;;
    --net) shift 2 ;;
    run | --rm) shift ;;
    *) shift; break ;;
  esac
done
for word in "$@"; do
  shift
  case $word in "$to"/*) word=$from\${word#"$to"} ;; esac
  set -- "$@" "$word"
done
program=$1
shift
exec "$program" -i ${networkOf(servers[0].address)}.$((100 + $$ % 50)) -p 5060 "$@"
`;
  writeFileSync(join(work, 'docker'), docker, { mode: 0o755 });
  writeFileSync(join(work, 'docker-compose'), '#!/bin/sh\n', { mode: 0o755 });
}

/** A name server for what does not read /etc/hosts: drachtio-server asks its own way. */
function serveNames() {
  const socket = createSocket('udp4');
  const addresses = new Map(places.map(({ name, address }) => [name, address]));
  socket.on('message', (query, from) => {
    let at = 12;
    const labels = [];
    while (query[at] > 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
      at += 1 + query[at];
    }
    const question = query.subarray(12, at + 5);
    const address = query.readUInt16BE(at + 1) === 1 ? addresses.get(labels.join('.').toLowerCase()) : undefined;
    const head = Buffer.from([query[0], query[1], 0x85, 0x80, 0, 1, 0, address === undefined ? 0 : 1, 0, 0, 0, 0]);
    const found = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...(address ?? '').split('.').map(Number)]);
    socket.send(
      Buffer.concat(address === undefined ? [head, question] : [head, question, found]),
      from.port,
      from.address,
    );
  });
  socket.bind(53, '127.0.0.1');
  writeFileSync(join(work, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  sh('mount', ['--bind', join(work, 'resolv.conf'), '/etc/resolv.conf']);
}

/** The scenario with what XML does not allow inside an attribute escaped: Debian's SIPp refuses it otherwise. */
function wellFormed(name) {
  const text = readFileSync(join(suite, 'test', 'scenarios', name), 'utf8');
  const escaped = text.replaceAll(/(?<=regexp=")[^"]*(?=")/g, (value) =>
    value.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  );
  const path = join(work, name);
  writeFileSync(path, escaped);
  return path;
}

function startServer({ name, address, controlPort }) {
  if (server !== 'sipd') {
    const conf = join(root, 'freeswitch-conf', 'drachtio-server', 'drachtio.conf.xml');
    const args = ['-f', conf, '-p', String(controlPort), '-c', `sip:${address};transport=udp`];
    return start(name, server, args, { env: { ...process.env, DRACHTIO_SECRET: secret } });
  }
  const options = join(work, `${name}.json`);
  const sip = [{ protocol: 'udp', host: address, port: 5060 }];
  writeFileSync(options, JSON.stringify({ sip, control: { port: controlPort }, secret }), { mode: 0o600 });
  start(name, process.execPath, [join(root, 'src', 'sipd', 'main.ts'), options]);
}

async function test() {
  const [program, ...args] =
    file === 'unit-tests'
      ? [join(suite, 'node_modules', '.bin', 'mocha'), join(suite, 'test', 'unit-tests')]
      : [process.execPath, join(suite, 'test', `${file}.js`)];
  const config = Object.fromEntries(servers.map(({ name }) => [name, { secret }]));
  const env = {
    ...process.env,
    NODE_ENV: 'test',
    NODE_CONFIG: JSON.stringify(config),
    PATH: `${work}:${process.env.PATH}`,
  };
  const child = start('test', program, args, { cwd: suite, env });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
    // A file that forgets a connection would never end, although all its tests have.
    child.stdout.on('data', (chunk) => {
      const summary = /^# (?:ok|fail +\d+)$/m.exec(String(chunk));
      if (summary !== null) setTimeout(() => resolve(summary[0] === '# ok' ? 0 : 1), 5_000);
    });
  });
}

function start(name, program, args, options = {}) {
  const log = createWriteStream(join(logs, `${name}.log`));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: work, ...options });
  child.on('error', (error) => log.write(`${error.message}\n`));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

function sh(program, args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

async function reachable(port) {
  for (;;) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await pause(100);
  }
}

/** Until so many sockets are bound to the port of SIP. */
async function bound(count) {
  const sipPort = ':13C4 ';
  while (readFileSync('/proc/net/udp', 'utf8').split(sipPort).length - 1 < count) await pause(100);
}
