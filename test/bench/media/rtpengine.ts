/** rtpengine of Debian in user space, asked by its NG protocol: a cookie and a bencoded dictionary in one datagram. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { freeUdpPort } from '../../support/processes.ts';
import type { Pair, Relay, RelayKind } from './relays.ts';
import { describeTalker, placeIn } from './talker-sdp.ts';
import type { Place } from './talkers.ts';

const PATIENCE_MS = 500;
const TRIES = 20;

export function rtpengine(program: string): RelayKind {
  return {
    name: 'rtpengine',
    configuration: `user space (--table=-1), 2 threads, loopback`,
    canEncrypt: true,
    async start(t, calls): Promise<Relay> {
      const port = await freeUdpPort();
      const first = 40_000;
      const options = {
        ...{ table: '-1', interface: '127.0.0.1', 'listen-ng': `127.0.0.1:${port}`, 'num-threads': '2' },
        ...{ 'port-min': String(first), 'port-max': String(first + calls * 8 + 100), 'log-level': '3' },
      };
      const child = spawn(
        program,
        ['--foreground', '--log-stderr', ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)],
        { stdio: ['ignore', 'ignore', 'ignore'] },
      );
      t.teardown(() => child.kill('SIGKILL'));
      const socket = createSocket('udp4');
      t.teardown(() => socket.close());
      await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
      socket.on('error', () => {});
      await ask(socket, { command: 'ping' });
      return {
        pid: child.pid ?? 0,
        async connect(pairs) {
          const places: (readonly [Place, Place])[] = [];
          for (const pair of pairs) places.push(await call(socket, pair));
          return places;
        },
      };
    },
  };
}

async function call(socket: Socket, [a, b]: Pair): Promise<readonly [Place, Place]> {
  const about = { 'call-id': randomUUID(), 'from-tag': 'a', 'rtcp-mux': ['accept'] };
  const offered = await ask(socket, { ...about, command: 'offer', sdp: describeTalker(a) });
  const answered = await ask(socket, { ...about, command: 'answer', 'to-tag': 'b', sdp: describeTalker(b) });
  return [placeIn(answered), placeIn(offered)];
}

/** The description of the answer; empty where there is none. */
async function ask(socket: Socket, words: Readonly<Record<string, string | readonly string[]>>): Promise<string> {
  const cookie = randomUUID();
  for (let i = 0; i < TRIES; i++) {
    socket.send(`${cookie} ${bencode(words)}`);
    const answer = await new Promise<string | undefined>((resolve) => {
      const done = (datagram?: Buffer) => {
        clearTimeout(timer);
        socket.off('message', done);
        resolve(datagram?.toString());
      };
      const timer = setTimeout(() => done(), PATIENCE_MS);
      socket.on('message', done);
    });
    if (answer === undefined || !answer.startsWith(cookie)) continue;
    if (answer.includes('6:result5:error')) throw new Error(`rtpengine: ${answer}`);
    const [, size = '0'] = /3:sdp(\d+):/.exec(answer) ?? [];
    const from = answer.indexOf(`3:sdp${size}:`) + `3:sdp${size}:`.length;
    return size === '0' ? '' : answer.slice(from, from + Number(size));
  }
  throw new Error('rtpengine does not answer');
}

function bencode(value: string | readonly string[] | Readonly<Record<string, string | readonly string[]>>): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${value.map((one: string) => bencode(one)).join('')}e`;
  const words = Object.entries(value as Readonly<Record<string, string | readonly string[]>>);
  return `d${words.map(([name, word]) => bencode(name) + bencode(word)).join('')}e`;
}
