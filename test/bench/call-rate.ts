import { readFileSync } from 'node:fs';
import { House } from '../support/house.ts';
import { freeUdpPort } from '../support/processes.ts';
import { type Sipp, startSipp, sippSdp } from '../support/sipp.ts';

/**
 * SIPp -> Wardline -> SIPp beside SIPp -> SIPp: registration, digest on every INVITE, routing, direct media and the
 * durable audit. A step is clean when no call failed, nothing was retransmitted and the kernel dropped nothing. Each
 * step has a house of its own that has taken 300 calls before, because code that has just been loaded is slow.
 */
export interface RateStep {
  readonly path: 'direct' | 'wardline';
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly calls: number;
  /** Calls that either SIPp saw fail, or that never happened. */
  readonly failed: number;
  /** By either SIPp, and what Wardline sent them again. */
  readonly retransmitted: number;
  /** Datagrams that the kernel threw away because somebody was too slow to take them (RcvbufErrors). */
  readonly kernelDrops: number;
  readonly isClean: boolean;
  /** From the INVITE that carries the credentials to the 180 that the caller sees. */
  readonly ringP50Ms: number;
  readonly ringP99Ms: number;
  /** CPU of the system under test per call, user and system; all of it and by process. */
  readonly cpuMsPerCall: number | null;
  readonly sipdMs: number | null;
  readonly appMs: number | null;
  readonly mediadMs: number | null;
  /** Proportional memory (PSS) of all its processes after the last call. */
  readonly pssMb: number | null;
  /** What all other processes of the machine but the SIPps used meanwhile, in percent of one core: a figure with
   * much of it tells little. */
  readonly otherCpuPercent: number;
}

const WARM_UP_CALLS = 300;
const WARM_UP_RATE = 30;

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
    const args = ['-buff_size', '4000000', '-trace_stat', '-fd', '1'];
    const warm = path === 'wardline' ? WARM_UP_CALLS : 0;
    const answering = await startSipp(t, {
      keepsMessages: false,
      calls: calls + warm,
      localPort: await freeUdpPort(),
      scenario: uas,
      args,
    });
    const house = path === 'wardline' ? await House.start(t, { phones: ['2101', '2102'] }) : null;
    if (house) {
      await registerPhone(t, house, answering.port);
      await warmUp(t, house);
    }
    const before = usage(house);
    const asking = await startSipp(t, {
      calls,
      keepsMessages: false,
      remote: house ? house.sip : `127.0.0.1:${answering.port}`,
      scenario: uac(house !== null),
      service: '2102',
      ...(house ? { user: '2101', password: house.password('2101') } : {}),
      rate,
      args: [
        ...args,
        '-trace_rtt',
        ...['-rtt_freq', '1', '-l', String(rate * 10)],
        ...['-timeout', `${seconds + 60}s`],
      ],
    });
    const generators = [asking.child.pid ?? 0, answering.child.pid ?? 0];
    const generatorsAt = generators.map(cpuMs);
    const generatorMs = () => sum(generators.map((pid, i) => Math.max(0, cpuMs(pid) - (generatorsAt[i] ?? 0))));
    let generated = 0;
    const watch = setInterval(() => {
      generated = Math.max(generated, generatorMs());
    }, 250);
    await asking.done;
    const after = usage(house);
    clearInterval(watch);
    // Its last call is still saying goodbye, and whatever is sent again comes half a second later.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await answering.close();
    return {
      path,
      offeredPerSecond: rate,
      seconds,
      calls,
      ...outcome({ calls, warm }, asking, answering, after.kernelDrops - before.kernelDrops),
      ...ringTimes(asking),
      ...perCall(before, after, calls),
      pssMb: house ? pssMb(house.pids()) : null,
      otherCpuPercent: Math.round(
        ((after.machineMs - before.machineMs - (after.houseMs - before.houseMs) - generated) * 100) /
          (after.atMs - before.atMs),
      ),
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

async function registerPhone(t: { teardown(fn: () => unknown): void }, house: House, port: number): Promise<void> {
  const registering = await startSipp(t, {
    remote: house.sip,
    scenario: register,
    user: '2102',
    password: house.password('2102'),
    keys: { contact: `127.0.0.1:${port}` },
  });
  if ((await registering.done) !== 0)
    throw new Error(`the answering phone could not register: ${registering.errors()}`);
}

/** A process that has just started runs its code uncompiled; a house that serves calls has not just started. */
async function warmUp(t: { teardown(fn: () => unknown): void }, house: House): Promise<void> {
  const warming = await startSipp(t, {
    remote: house.sip,
    scenario: uac(true),
    service: '2102',
    user: '2101',
    password: house.password('2101'),
    calls: WARM_UP_CALLS,
    rate: WARM_UP_RATE,
    keepsMessages: false,
    args: ['-timeout', '60s'],
  });
  if ((await warming.done) !== 0) throw new Error(`calls failed while it was warmed up: ${warming.errors()}`);
}

function outcome(of: { calls: number; warm: number }, asking: Sipp, answering: Sipp, kernelDrops: number) {
  const [asked, answered] = [asking.statistics(), answering.statistics()];
  const failed = Math.max(
    of.calls - asked.number('SuccessfulCall(C)'),
    of.calls + of.warm - answered.number('SuccessfulCall(C)'),
    answered.number('FailedCall(C)'),
  );
  const again = (stat: typeof asked) => stat.number('Retransmissions(C)') + stat.number('DeadCallMsgs(C)');
  const retransmitted = again(asked) + again(answered);
  return { failed, retransmitted, kernelDrops, isClean: failed === 0 && retransmitted === 0 && kernelDrops === 0 };
}

function ringTimes(asking: Sipp) {
  const tookMs = asking.responseTimesMs().sort((a, b) => a - b);
  const at = (part: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))] ?? Number.NaN;
  return { ringP50Ms: round(at(0.5)), ringP99Ms: round(at(0.99)) };
}

interface Usage {
  readonly atMs: number;
  readonly machineMs: number;
  readonly houseMs: number;
  readonly sipdMs: number;
  readonly mediadMs: number;
  readonly kernelDrops: number;
}

function usage(house: House | null): Usage {
  const pids = house?.pids() ?? [];
  const named = (name: string) => sum(pids.filter((pid) => commandOf(pid).includes(`/src/${name}/main.ts`)).map(cpuMs));
  return {
    atMs: performance.now(),
    machineMs: machineMs(),
    houseMs: sum(pids.map(cpuMs)),
    sipdMs: named('sipd'),
    mediadMs: named('mediad'),
    kernelDrops: kernelDrops(),
  };
}

function perCall(before: Usage, after: Usage, calls: number) {
  const of = (what: 'houseMs' | 'sipdMs' | 'mediadMs') => round((after[what] - before[what]) / calls);
  if (after.houseMs === 0) return { cpuMsPerCall: null, sipdMs: null, appMs: null, mediadMs: null };
  const [cpuMsPerCall, sipdMs, mediadMs] = [of('houseMs'), of('sipdMs'), of('mediadMs')];
  return { cpuMsPerCall, sipdMs, appMs: round(cpuMsPerCall - sipdMs - mediadMs), mediadMs };
}

/** User and system time of a process, from /proc: clock ticks are 10 ms on Linux. 0 when it has ended. */
function cpuMs(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** What all processors did for somebody: everything but idle and waiting for the disk. Sampled, so only roughly true. */
function machineMs(): number {
  const [, user, nice, system, , , irq, softirq] = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(
    / +/,
  );
  return sum([user, nice, system, irq, softirq].map(Number)) * 10;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function pssMb(pids: readonly number[]): number {
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

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** `branch`: the ACK of a refusal belongs to the INVITE's transaction (RFC 3261 17.1.1.3), the rest has its own. */
const request = (method: string, cseq: number, rest: string, branch = '[branch]', more = '') => `
<send ${method === 'ACK' ? '' : 'retrans="500"'} ${more}><![CDATA[

${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=${branch}
From: <sip:2101@[remote_ip]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]>${method === 'INVITE' ? '' : '[peer_tag_param]'}
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
${request('INVITE', 1, withSdp(), '[branch]', isChallenged ? '' : 'start_rtd="1"')}
${
  isChallenged
    ? `<recv response="100" optional="true"/>
<recv response="401" auth="true"/>
${request('ACK', 1, 'Content-Length: 0\n', '[branch-3]')}
${request('INVITE', 2, withSdp('[authentication]\n'), '[branch]', 'start_rtd="1"')}`
    : ''
}
<recv response="100" optional="true"/>
<recv response="180" rtd="1"/>
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
