import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/index.ts';
import { ROOT } from '../support/root.ts';

// What runs Wardline in production: containers and systemd units. What would open a door must not come back.

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
/** The one user of all containers and units that share the recordings in memory. */
const USER = '10001';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly network_mode?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly unknown[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ulimits?: { readonly core: number; readonly nofile: { readonly soft: number } };
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly healthcheck?: { readonly test: readonly string[]; readonly start_period: string };
  readonly stop_grace_period?: string;
  readonly pids_limit?: number;
  readonly init?: boolean;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, { readonly driver_opts?: Readonly<Record<string, string>> } | null>>;
}
const composeText = read('compose.yaml');
const compose = parse(composeText, { merge: true }) as Compose;

void t.test('each container: not root, nothing to write but what it must, nothing it could become', async (t) => {
  t.same(Object.keys(compose.services), ['drachtio', 'freeswitch', 'wardline']);
  for (const [name, service] of Object.entries(compose.services)) {
    t.equal(service.user, `${USER}:${USER}`, name);
    t.equal(service.read_only, true, name);
    t.same(service.cap_drop, ['ALL'], name);
    t.same(service.security_opt, ['no-new-privileges:true'], name);
    for (const door of ['privileged', 'cap_add', 'ports', 'pid', 'ipc', 'devices', 'env_file', 'userns_mode'])
      t.notOk(door in service, `${name}: ${door}`);
    t.match(service.image, /^\S+:\d+\.\d+\.\d+$/, `${name}: a version, not latest`);
    t.equal(service.ulimits?.core, 0, `${name}: no core file`);
    t.ok((service.ulimits?.nofile.soft ?? 0) >= 16_384);
    t.match(service.logging?.options, { 'max-size': /^\d+m$/, 'max-file': /^\d+$/ }, `${name}: its log ends somewhere`);
    t.ok((service.healthcheck?.test.length ?? 0) > 1, `${name}: is asked whether it works`);
    t.ok((service.pids_limit ?? 0) > 0 && service.init === true);
    for (const mount of service.tmpfs ?? []) t.match(mount, /size=\d+m.*noexec.*nosuid.*nodev/, mount);
    for (const volume of service.volumes ?? [])
      t.ok(volume.startsWith('./') ? volume.endsWith(':ro') : /^(data|plain):/.test(volume), `${name}: ${volume}`);
  }
});

void t.test('no secret stands in a file of ours, in the environment or on a command line', async (t) => {
  for (const [name, { environment = {}, command = [], entrypoint = [], healthcheck }] of Object.entries(
    compose.services,
  )) {
    for (const [key, value] of Object.entries(environment)) {
      t.notMatch(key, /SECRET|PASSWORD|TOKEN|KEY$/i, `${name}: ${key}`);
      t.match(value, /^\/run\/secrets\//, 'a path');
    }
    const typed = [...command, ...entrypoint, ...(healthcheck?.test ?? [])].join('\n');
    t.notMatch(typed, /(--secret|--password|\s-p\s)|ClueCon|cymru/, name);
  }
  for (const { file } of Object.values(compose.secrets)) t.match(file, /^\.\/secrets\//);
  const used = Object.values(compose.services).flatMap(({ secrets = [] }) => secrets);
  t.same([...new Set(used)].sort(), Object.keys(compose.secrets).sort(), 'each is used, and none is missing');
  t.match(read('.gitignore'), /^secrets\/$/m, 'and none is committed');
});

void t.test('recordings lie in memory, with a limit, for those two alone', async (t) => {
  const options = compose.volumes['plain']?.driver_opts;
  t.match(options, {
    type: 'tmpfs',
    device: 'tmpfs',
    o: new RegExp(`size=\\d+m,mode=0700,uid=${USER},gid=${USER},noexec`),
  });
  const users = Object.entries(compose.services).filter(([, { volumes = [] }]) =>
    volumes.includes('plain:/run/wardline/plain'),
  );
  t.same(
    users.map(([name]) => name),
    ['freeswitch', 'wardline'],
  );
});

void t.test('the configuration in it is good, and names what is there', async (t) => {
  const file = join(t.testdir({ 'wardline.yaml': compose.configs['wardline.yaml']?.content ?? '' }), 'wardline.yaml');
  const loaded = loadConfig({ file, set: [] }, {});
  if (loaded.kind === 'bad') return t.fail(loaded.problems.join('\n'));
  const { signalling, media, admin } = loaded.value;
  const secrets = compose.services['wardline']?.secrets ?? [];
  for (const { host, secretFile = '' } of [...signalling.servers, ...media.servers]) {
    t.equal(host, '127.0.0.1', 'a control port is never on another address');
    t.ok(secrets.includes(secretFile.replace('/run/secrets/', '')), secretFile);
  }
  t.equal(media.servers[0]?.plain, '/run/wardline/plain');
  t.match(admin.listen, /^127\.0\.0\.1:8080$/, 'which its health check asks');
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0');
  const asks = (name: string) => compose.services[name]?.healthcheck?.test.join(' ');
  t.match(asks('drachtio'), `:${hex(signalling.servers[0]!.port)} 00000000:0000 0A`);
  t.match(asks('freeswitch'), `:${hex(media.servers[0]!.port)} 00000000:0000 0A`);
  t.equal(
    compose.services['wardline']?.image,
    `wardline:${(JSON.parse(read('package.json')) as { version: string }).version}`,
  );
});

/** What an app that is draining may take beyond: the last words of calls, and writing everything (supervise/house.ts). */
const OVERTIME_S = 15;

void t.test('whoever stops Wardline waits longer than it drains', async (t) => {
  const { command = [], stop_grace_period = '', depends_on } = compose.services['wardline'] ?? {};
  const drainS = Number(command[command.indexOf('--drain') + 1]);
  t.ok(Number(stop_grace_period.replace(/s$/, '')) > drainS + OVERTIME_S, `${stop_grace_period} for ${drainS} s`);
  t.same(Object.keys(depends_on ?? {}), ['drachtio', 'freeswitch'], 'which stop after it');
  const unit = unitOf('wardline.service');
  const drain = /--drain (\d+)/.exec(unit.one('ExecStart'))?.[1];
  t.ok(Number(unit.one('TimeoutStopSec')) > Number(drain) + OVERTIME_S);
  t.match(unit.one('After'), /drachtio-server\.service freeswitch\.service/);
});

void t.test('the image: small parts, no root, no secret', async (t) => {
  const text = read('Dockerfile').replaceAll(/^#.*\n/gm, '');
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n').filter(Boolean);
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  t.same(of('USER'), [`${USER}:${USER}`]);
  t.ok(
    lines.indexOf(`USER ${USER}:${USER}`) > lines.findLastIndex((line) => line.startsWith('COPY ')),
    'and owns no code',
  );
  t.same(of('ADD'), [], 'which fetches and unpacks');
  t.notMatch(text, /apt-get|curl|wget|npm install|--privileged|PASSWORD|TOKEN|\bSECRET/);
  t.match(of('RUN').join('\n'), /npm ci --omit=dev/);
  for (const image of of('ARG')) t.match(image, /_IMAGE=docker\.io\/library\/\S+:\d+\.\d+\S*-slim$/, image);
  t.equal(of('FROM').length, 2, 'npm stays behind');
  for (const copied of of('COPY').filter((line) => !line.startsWith('--from'))) {
    for (const file of copied.split(' ').slice(0, -1)) t.ok(existsSync(join(ROOT, file)), file);
  }
  const [, ...entry] = /"([^"]+)"/.exec(of('ENTRYPOINT')[0] ?? '') ?? [];
  t.same(entry, ['/app/node_modules/.bin/node'], 'not npm: signals reach the supervisor');
  for (const [, file = ''] of (of('ENTRYPOINT')[0] ?? '').matchAll(/"\/app\/((?:src|scripts)\/[^"]+)"/g))
    t.ok(existsSync(join(ROOT, file)), file);
  t.equal(of('HEALTHCHECK').length, 1);

  const ignored = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  t.equal(ignored[0], '*', 'what is not named stays out');
  const named = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  for (const file of named) t.ok(existsSync(join(ROOT, file)), file);
  t.same(
    named.filter((name) => /^(\.git|data|secrets|test|node_modules|wardline\.yaml)/.test(name)),
    [],
  );
});

const UNITS = join(ROOT, 'scripts/systemd');

function unitOf(name: string) {
  const settings = read(`scripts/systemd/${name}`)
    .split('\n')
    .flatMap((line) => {
      const [, key = '', value = ''] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
      return key === '' ? [] : [[key, value] as const];
    });
  const all = (key: string) => settings.filter(([name]) => name === key).map(([, value]) => value);
  return { all, one: (key: string) => all(key).at(-1) ?? '' };
}

const SANDBOX: Readonly<Record<string, string>> = {
  NoNewPrivileges: 'yes',
  CapabilityBoundingSet: '',
  ProtectSystem: 'strict',
  ProtectHome: 'yes',
  PrivateTmp: 'yes',
  PrivateDevices: 'yes',
  ProtectClock: 'yes',
  ProtectKernelTunables: 'yes',
  ProtectKernelModules: 'yes',
  ProtectKernelLogs: 'yes',
  ProtectControlGroups: 'yes',
  ProtectProc: 'invisible',
  RestrictNamespaces: 'yes',
  RestrictRealtime: 'yes',
  RestrictSUIDSGID: 'yes',
  RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  LockPersonality: 'yes',
  SystemCallArchitectures: 'native',
  LimitCORE: '0',
  UMask: '0077',
  Restart: 'always',
};

void t.test('systemd units: each in a sandbox, secrets as credentials', async (t) => {
  const services = readdirSync(UNITS).filter((name) => name.endsWith('.service'));
  t.same(services.sort(), ['drachtio-server.service', 'freeswitch.service', 'wardline.service']);
  for (const name of services) {
    const unit = unitOf(name);
    for (const [key, value] of Object.entries(SANDBOX)) t.same(unit.all(key), [value], `${name}: ${key}`);
    t.equal(unit.all('SystemCallFilter')[0], '@system-service', name);
    t.match(unit.all('SystemCallFilter')[1], /^~@privileged /, name);
    t.ok(Number(unit.one('LimitNOFILE')) >= 16_384, name);
    t.match(unit.one('User'), /^(wardline|drachtio-server)$/, name);
    t.ok(unit.all('LoadCredential').length > 0 && !unit.one('Environment').includes('SECRET'), name);
    t.notMatch(unit.one('ExecStart'), /--secret|ClueCon|cymru/, name);
    t.equal(unit.one('StartLimitIntervalSec'), '0', `${name}: never gives up`);
    // Behind a user namespace and ProtectProc the next supervisor would not see what the last one left.
    t.equal(unit.one('PrivateUsers'), name === 'wardline.service' ? 'no' : 'yes', name);
    t.equal(unit.one('MemoryDenyWriteExecute'), name === 'wardline.service' ? 'no' : 'yes', `${name}: V8 needs it`);
    for (const [, file = ''] of unit
      .one('ExecStart')
      .matchAll(/\/opt\/wardline\/((?:src|scripts|freeswitch-conf)\S*?)(?=['\s]|$)/g))
      t.ok(existsSync(join(ROOT, file)), file);
  }
  t.equal(unitOf('wardline.service').one('KillMode'), 'process', 'its daemons outlive it, and are taken over');
  t.match(unitOf('wardline.service').one('ExecStart'), '--no-passwords', 'the journal is no place for them');
  t.equal(unitOf('wardline.service').one('RestartPreventExitStatus'), '78');
  t.equal(unitOf('drachtio-server.service').one('DynamicUser'), 'yes');
});

void t.test('systemd: the folder of recordings is what the containers have too', async (t) => {
  const mount = unitOf('run-wardline-plain.mount');
  t.same([mount.one('Where'), mount.one('Type')], ['/run/wardline/plain', 'tmpfs']);
  t.equal(mount.one('Options'), compose.volumes['plain']?.driver_opts?.['o']);
  t.match(read('scripts/systemd/wardline.sysusers.conf'), new RegExp(`^u wardline ${USER} `, 'm'));
  t.match(unitOf('freeswitch.service').one('Requires'), 'run-wardline-plain.mount');
});
