// What the beds of the client libraries' test suites have in common: a network of their own, its names, and processes with logs.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { root } from './install.js';

export class Bed {
  /** `suite`: the copy of the library's repository; `logs`: a folder for what is said. */
  constructor(suite, logs) {
    this.suite = suite;
    this.logs = logs;
    this.work = join(tmpdir(), `bed-${process.hrtime.bigint()}`);
    mkdirSync(this.work, { recursive: true });
    mkdirSync(logs, { recursive: true });
    const containers = join(suite, 'test', 'docker-compose-testbed.yaml');
    /** What the suite would start in containers, if it does. */
    const { services } = existsSync(containers) ? parse(readFileSync(containers, 'utf8')) : { services: {} };
    this.places = Object.entries(services).map(([name, service]) => ({
      name,
      image: service.image,
      command: (service.command ?? '').split(' '),
      address: Object.values(service.networks)[0].ipv4_address,
      controlPort: Number(String(service.ports?.[0] ?? '0').split(':')[0]),
    }));
  }

  /** Gives each place its address and name. `device`: on which; `more`: further addresses. */
  layOut(device, more = []) {
    sh('ip', ['link', 'set', 'lo', 'up']);
    for (const address of [...more, ...this.places.map((place) => place.address)])
      sh('ip', ['address', 'add', `${address}/16`, 'dev', device]);
    const hosts = this.places.map(({ name, address }) => `${address} ${name}`);
    writeFileSync(join(this.work, 'hosts'), ['127.0.0.1 localhost', ...hosts, ''].join('\n'));
    sh('mount', ['--bind', join(this.work, 'hosts'), '/etc/hosts']);
    this.#serveNames();
  }

  /** A name server for what does not read /etc/hosts: drachtio-server asks its own way. */
  #serveNames() {
    const socket = createSocket('udp4');
    const addresses = new Map(this.places.map(({ name, address }) => [name, address]));
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
    writeFileSync(join(this.work, 'resolv.conf'), 'nameserver 127.0.0.1\n');
    sh('mount', ['--bind', join(this.work, 'resolv.conf'), '/etc/resolv.conf']);
  }

  startSipd({ name, address, controlPort }, secret) {
    const options = join(this.work, `${name}.json`);
    const sip = [{ protocol: 'udp', host: address, port: 5060 }];
    writeFileSync(options, JSON.stringify({ sip, control: { port: controlPort }, secret }), { mode: 0o600 });
    this.start(name, process.execPath, [join(root, 'src', 'sipd', 'main.ts'), options]);
  }

  /** What it says goes to a file of its name. */
  start(name, program, args, options = {}) {
    const log = createWriteStream(join(this.logs, `${name}.log`));
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.work, ...options });
    child.on('error', (error) => log.write(`${error.message}\n`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    return child;
  }

  /** Runs a file of the suite, and resolves with 0 if all its tests passed. `config`: what its own configuration is to say otherwise; `over`: what it says when nothing more comes. */
  runTests(program, args, config, { env = {}, cwd = this.suite, over = /^# (?:ok|fail +\d+)$/m } = {}) {
    const child = this.start('test', program, args, {
      cwd,
      env: { ...process.env, NODE_ENV: 'test', NODE_CONFIG: JSON.stringify(config), ...env },
    });
    return new Promise((resolve) => {
      child.on('exit', (code) => resolve(code ?? 1));
      // A file that forgets a connection would never end, although all its tests have.
      child.stdout.on('data', (chunk) => {
        const summary = over.exec(String(chunk));
        if (summary !== null) setTimeout(() => resolve(summary[0] === '# ok' ? 0 : 1), 5_000);
      });
    });
  }
}

/** A scenario with what XML does not allow inside an attribute escaped: Debian's SIPp refuses it otherwise. */
export const wellFormed = (text) =>
  text.replaceAll(/(?<=regexp=")[^"]*(?=")/g, (value) => value.replaceAll('<', '&lt;').replaceAll('>', '&gt;'));

/** What it says. Throws Error if it fails. */
export function sh(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Until somebody listens on that port of loopback. */
export async function reachable(port) {
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
