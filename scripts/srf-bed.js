// One file of drachtio-srf's test suite, inside a network of its own:  srf-bed.js SUITE SERVER FILE LOGS
// What the suite would start in containers is read from its own list of them: SIPp and the servers run here under the
// addresses and names the list gives them, and a `docker` of our own starts SIPp when a test asks for it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Bed, reachable, sh, wellFormed } from './bed.js';
import { root } from './install.js';

const [suite, server, file, logs] = process.argv.slice(2);
const secret = 'secret of the srf suite';
const bed = new Bed(suite, logs);
const servers = bed.places.filter(({ image }) => image.includes('drachtio-server'));
const phones = bed.places.filter(({ image }) => image.includes('sipp'));
const networkOf = (address) => address.slice(0, address.lastIndexOf('.'));

layOut();
for (const place of servers) startServer(place);
for (const { name, address, command } of phones) {
  const scenario = command.map((word) => (word.startsWith('/tmp/') ? scenarioAt(word.slice('/tmp/'.length)) : word));
  bed.start(name, 'sipp', [...scenario.slice(1), '-i', address, '-p', '5060', '-nostdin']);
}
await Promise.all(servers.map(({ controlPort }) => reachable(controlPort)));
await bound(phones.length + servers.length);
process.exit(await test());

/** Addresses, names, the client library that Wardline uses, and the stand-ins of docker. */
function layOut() {
  bed.layOut(
    'lo',
    Array.from({ length: 50 }, (_, i) => `${networkOf(servers[0].address)}.${100 + i}`),
  );
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
  writeFileSync(join(bed.work, 'docker'), docker, { mode: 0o755 });
  writeFileSync(join(bed.work, 'docker-compose'), '#!/bin/sh\n', { mode: 0o755 });
}

function scenarioAt(name) {
  const path = join(bed.work, name);
  writeFileSync(path, wellFormed(readFileSync(join(suite, 'test', 'scenarios', name), 'utf8')));
  return path;
}

function startServer(place) {
  if (server === 'sipd') return bed.startSipd(place, secret);
  const { name, address, controlPort } = place;
  const conf = join(root, 'freeswitch-conf', 'drachtio-server', 'drachtio.conf.xml');
  const args = ['-f', conf, '-p', String(controlPort), '-c', `sip:${address};transport=udp`];
  return bed.start(name, server, args, { env: { ...process.env, DRACHTIO_SECRET: secret } });
}

function test() {
  const [program, ...args] =
    file === 'unit-tests'
      ? [join(suite, 'node_modules', '.bin', 'mocha'), join(suite, 'test', 'unit-tests')]
      : [process.execPath, join(suite, 'test', `${file}.js`)];
  const config = Object.fromEntries(servers.map(({ name }) => [name, { secret }]));
  return bed.runTests(program, args, config, { env: { PATH: `${bed.work}:${process.env.PATH}` } });
}

/** Until so many sockets are bound to the port of SIP. */
async function bound(count) {
  const sipPort = ':13C4 ';
  while (readFileSync('/proc/net/udp', 'utf8').split(sipPort).length - 1 < count) await pause(100);
}
