// One file of drachtio-fsmrf's test suite, inside a network of its own:  fsmrf-bed.js SUITE FILE LOGS
// What the suite would start in containers is read from its own list of them: sipd stands for each drachtio-server in it and
// mediad for each FreeSWITCH, under the addresses and names the list gives them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { Bed, reachable, sh } from './bed.js';
import { root } from './install.js';

const [suite, file, logs] = process.argv.slice(2);
const secret = 'secret-of-the-fsmrf-suite';
const bed = new Bed(suite, logs);
const signalling = bed.places.filter(({ image }) => image.includes('drachtio-server'));
const media = bed.places.filter(({ image }) => image.includes('freeswitch'));
const app = bed.places[0].address.replace(/\.\d+$/, '.1');
/** How the suite's own configuration calls what it connects to, by its port. */
const config = JSON.parse(readFileSync(join(suite, 'config', 'test.json'), 'utf8'));
const profileAt = new Map(Object.values(config).map(({ port, profile }) => [port, profile]));
/** Where the suite records, in every container's own /tmp. */
const recordings = '/tmp';
const recorded = ['endpoint_record.wav', 'endpoint_record2.wav', 'conf-test-recording.wav'];

// The client library looks for an address of this machine that is not loopback.
sh('ip', ['link', 'add', 'bed0', 'type', 'veth', 'peer', 'name', 'bed1']);
for (const device of ['bed0', 'bed1']) sh('ip', ['link', 'set', device, 'up']);
bed.layOut('bed0', [app]);
sh('mount', ['--bind', join(root, 'node_modules', 'drachtio-fsmrf', 'lib'), join(suite, 'lib')]);
forgetRecordings();
const recipient = await identityToRecipient(await generateX25519Identity());
for (const place of signalling) bed.startSipd(place, secret);
for (const place of media) startMediad(place);
await Promise.all([...signalling, ...media].map(({ controlPort }) => reachable(controlPort)));
const status = await bed.runTests(process.execPath, [join(suite, 'test', `${file}.js`)], secrets(), {
  // What the library itself needs is not among the suite's own packages.
  env: { NODE_PATH: join(root, 'node_modules') },
});
forgetRecordings();
process.exit(status);

function startMediad({ name, address, controlPort, command }) {
  const [portsFrom, portsTo] = ['--rtp-range-start', '--rtp-range-end'].map((word) =>
    Number(command[command.indexOf(word) + 1]),
  );
  const options = {
    eventSocket: { port: controlPort, secret, outboundHosts: [app] },
    sip: {
      host: address,
      port: 5060,
      profile: profileAt.get(controlPort) ?? 'drachtio_mrf',
      tls: {
        port: 5061,
        certificateFile: join(suite, 'test', 'tls', 'server.crt'),
        keyFile: join(suite, 'test', 'tls', 'server.key'),
      },
    },
    rtp: { bindAddress: address, portsFrom, portsTo },
    // The order of the image that the suite was written for; one of its tests counts samples at 48 kHz.
    codecs: ['OPUS', 'PCMU', 'PCMA', 'G722'],
    promptFolders: [join(suite, 'test', 'sounds', 'en', 'us', 'callie')],
    recordingsFolder: recordings,
    sealTo: [recipient],
  };
  const path = join(bed.work, `${name}.json`);
  writeFileSync(path, JSON.stringify(options), { mode: 0o600 });
  bed.start(name, process.execPath, [join(root, 'src', 'mediad', 'main.ts'), path]);
}

/** The secrets of the suite's configuration are too short for us. */
function secrets() {
  const told = (entry) =>
    Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, key === 'secret' ? secret : changed(value)]));
  const changed = (value) => (typeof value === 'object' ? told(value) : value);
  return told(config);
}

function forgetRecordings() {
  for (const name of recorded) rmSync(join(recordings, name), { force: true });
}
