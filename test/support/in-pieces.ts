import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { openSipd } from './sipd-and-app.ts';
import { aMessage } from './torture-messages.ts';

// In a network of its own with small packets (unshare --net): sends sipd a request of 60 KB by UDP, and prints how many
// pieces were put together and what sipd answers.

const sipd = await openSipd({ holdNewMs: 0 });
const port = Number(sipd.addresses.sip[0]?.split(':').at(-1));
const socket = createSocket('udp4');
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
const long = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`X-Long-${i}`, 'x'.repeat(7_400)]));
const answer = once(socket, 'message');
socket.send(
  aMessage({ ...long, Via: `SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKpieces` }),
  port,
  '127.0.0.1',
);
const [bytes] = (await answer) as [Buffer];
// Two lines: the names, and the numbers.
const [names = [], numbers = []] = readFileSync('/proc/net/snmp', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('Ip: '))
  .map((line) => line.split(' '));
process.stdout.write(`${numbers[names.indexOf('FragCreates')]} ${bytes.toString('latin1', 0, 11)}\n`);
socket.close();
await sipd.close();
