import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseEndpoint } from '../config/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { done, Refusal, type Report } from './report.ts';
import { reflect } from './sip-reflection.ts';

/** It answers whoever asks, so nobody can be drowned by it. */
const ANSWERS_PER_SECOND = 20;

export function reflectCommand({ command, answer }: Commands): void {
  command('reflect [address:port]')
    .description('answer SIP OPTIONS with what arrived, for "doctor --reflector" elsewhere; Ctrl-C ends it')
    .action(answer((at: string | undefined, _options: CommonOptions) => serve(at ?? '0.0.0.0:5060')));
}

async function serve(text: string): Promise<Report> {
  const at = parseEndpoint(text);
  if (at === null) throw new Refusal(`${text}: must read address:port`, 2);
  const socket = createSocket(at.host.includes(':') ? 'udp6' : 'udp4');
  let [answered, left] = [0, ANSWERS_PER_SECOND];
  const refill = setInterval(() => {
    left = ANSWERS_PER_SECOND;
  }, 1000);
  socket.on('message', (bytes, { address, port }) => {
    const reply = left > 0 ? reflect(bytes.toString('latin1'), { host: address, port }) : null;
    if (reply === null) return;
    left -= 1;
    answered += 1;
    socket.send(Buffer.from(reply, 'latin1'), port, address);
  });
  const stop = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve());
  try {
    socket.bind(at.port, at.host);
    await once(socket, 'listening');
  } catch (error) {
    throw new Refusal(`udp ${text} cannot be opened (${(error as Error).message}): choose another port`);
  }
  process.stderr.write(`Reflects on udp ${at.host}:${socket.address().port}; Ctrl-C ends it.\n`);
  socket.on('error', () => stop.resolve());
  await stop.promise;
  clearInterval(refill);
  socket.close();
  return done([`${answered} answered.`], { answered });
}
