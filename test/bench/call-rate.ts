import { readFileSync } from 'node:fs';
import { House } from '../support/house.ts';
import { freeUdpPort } from '../support/processes.ts';
import { startSipp, sippSdp } from '../support/sipp.ts';

/**
 * SIPp -> Wardline -> SIPp beside SIPp -> SIPp: registration, digest on every INVITE, routing, direct media and the
 * durable audit. A step is clean when no call failed, nothing was retransmitted and the kernel dropped nothing.
 */
export interface RateStep {
  readonly path: 'direct' | 'wardline';
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly calls: number;
  readonly failed: number;
  readonly retransmitted: number;
  readonly kernelDrops: number;
  readonly isClean: boolean;
  /** CPU of all processes of the system under test, per call. */
  readonly cpuMsPerCall: number | null;
  readonly rssMb: number | null;
}

export async function benchCallRate(
  rates: readonly number[],
  seconds: number,
  paths: readonly RateStep['path'][] = ['direct', 'wardline'],
): Promise<RateStep[]> {
  const steps: RateStep[] = [];
  for (const path of paths) {
    for (const rate of rates) {
      // A fresh process per step: after one collapse a server may stay slow.
      const step = await runStep(path, rate, seconds);
      steps.push(step);
      if (!step.isClean) break;
    }
  }
  return steps;
}

async function runStep(path: RateStep['path'], rate: number, seconds: number): Promise<RateStep> {
  const undo: (() => unknown)[] = [];
  const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
  try {
    const calls = rate * seconds;
    const answering = await startSipp(t, {
      localPort: await freeUdpPort(),
      scenario: uas,
      calls,
      keepsMessages: false,
      args: ['-buff_size', '4000000'],
    });
    const house = path === 'wardline' ? await House.start(t, { phones: ['2101', '2102'] }) : null;
    if (house) {
      const registering = await startSipp(t, {
        remote: house.sip,
        scenario: register,
        user: '2102',
        password: house.password('2102'),
        keys: { contact: `127.0.0.1:${answering.port}` },
      });
      if ((await registering.done) !== 0)
        throw new Error(`the answering phone could not register: ${registering.errors()}`);
    }
    const pids = house ? house.pids() : [];
    const cpuBefore = cpuMs(pids);
    const dropsBefore = kernelDrops();
    const asking = await startSipp(t, {
      remote: house ? house.sip : `127.0.0.1:${answering.port}`,
      scenario: house ? uac(true) : uac(false),
      service: '2102',
      ...(house ? { user: '2101', password: house.password('2101') } : {}),
      calls,
      rate,
      keepsMessages: false,
      args: [
        '-l',
        String(rate * 10),
        '-buff_size',
        '4000000',
        '-trace_stat',
        '-fd',
        '1',
        '-timeout',
        `${seconds + 60}s`,
      ],
    });
    await asking.done;
    const stat = asking.statistics();
    const failed =
      stat.number('FailedCall(C)') + (calls - stat.number('SuccessfulCall(C)') - stat.number('FailedCall(C)'));
    const retransmitted = stat.number('Retransmissions(C)');
    const drops = kernelDrops() - dropsBefore;
    return {
      path,
      offeredPerSecond: rate,
      seconds,
      calls,
      failed,
      retransmitted,
      kernelDrops: drops,
      isClean: failed === 0 && retransmitted === 0 && drops === 0,
      cpuMsPerCall: house ? (cpuMs(pids) - cpuBefore) / calls : null,
      rssMb: house ? rssMb(pids) : null,
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

/** User and system time, from /proc: clock ticks are 10 ms on Linux. */
function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // Ended meanwhile.
    }
  }
  return ticks * 10;
}

export function rssMb(pids: readonly number[]): number {
  let kb = 0;
  for (const pid of pids) {
    try {
      kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
    } catch {
      // Ended meanwhile.
    }
  }
  return Math.round(kb / 1024);
}

function kernelDrops(): number {
  const lines = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  const at = (lines[0] ?? '').split(' ').indexOf('RcvbufErrors');
  return Number((lines[1] ?? '').split(' ')[at] ?? 0);
}

const request = (method: string, cseq: number | string, rest: string) => `
<send ${method === 'ACK' ? '' : 'retrans="500"'}><![CDATA[

${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:2101@[remote_ip]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
Contact: <sip:2101@[local_ip]:[local_port]>
${rest}
]]></send>`;

const withSdp = (more = '') => `${more}Content-Type: application/sdp
Content-Length: [len]

${sippSdp}`;

const uac = (isChallenged: boolean) => `
${request('INVITE', 1, withSdp())}
${
  isChallenged
    ? `<recv response="100" optional="true"/>
<recv response="401" auth="true"/>
${request('ACK', 1, 'Content-Length: 0\n')}
${request('INVITE', 2, withSdp('[authentication]\n'))}`
    : ''
}
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200" rrs="true"/>
${request('ACK', isChallenged ? 2 : 1, 'Content-Length: 0\n').replace('sip:[service]@[remote_ip]:[remote_port] SIP', '[next_url] SIP')}
<pause milliseconds="100"/>
${request('BYE', 3, 'Content-Length: 0\n').replace('sip:[service]@[remote_ip]:[remote_port] SIP', '[next_url] SIP')}
<recv response="200"/>`;

const reply = (status: string, rest: string) => `
<send><![CDATA[

SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]s[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:2102@[local_ip]:[local_port]>
${rest}
]]></send>`;

const uas = `
<recv request="INVITE"/>
${reply('180 Ringing', 'Content-Length: 0\n')}
<pause milliseconds="100"/>
${reply('200 OK', withSdp()).replace('<send>', '<send retrans="500">')}
<recv request="ACK"/>
<recv request="BYE"/>
<send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>`;

const registerRequest = (cseq: number, more = '') => `
<send retrans="500"><![CDATA[

REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:2102@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:2102@[remote_ip]>
Call-ID: [call_id]
CSeq: ${cseq} REGISTER
Max-Forwards: 70
Contact: <sip:2102@[contact]>
Expires: 600
${more}Content-Length: 0

]]></send>`;

const register = `${registerRequest(1)}
<recv response="401" auth="true"/>
${registerRequest(2, '[authentication]\n')}
<recv response="200"/>`;
