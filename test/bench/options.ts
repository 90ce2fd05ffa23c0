import { startSipp } from '../support/sipp.ts';
import { commandOf, cpuMs, kernelDrops, round, sum } from './calls/proc.ts';
import type { Candidate } from './calls/systems.ts';

/** One request and its answer: what a signalling server costs before anything is asked of it. */
export interface OptionsStep {
  readonly path: string;
  readonly offeredPerSecond: number;
  readonly seconds: number;
  readonly answered: number;
  readonly retransmitted: number;
  readonly kernelDrops: number;
  /** All its processes, user and system, for a request and its answer. */
  readonly cpuMicrosEach: number;
  /** The signalling server among them. */
  readonly signallingMicros: number;
}

const WARM_UP = 3_000;

export async function benchOptions(
  systems: readonly Candidate[],
  rate: number,
  seconds: number,
): Promise<OptionsStep[]> {
  const steps: OptionsStep[] = [];
  for (const candidate of systems) {
    console.log(`${candidate.name}: ${candidate.configuration}`);
    const undo: (() => unknown)[] = [];
    const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
    try {
      const system = await candidate.start(t);
      // Nobody has to be asked about a Max-Forwards that cannot be: it is answered before a transaction is made.
      const isAlone = candidate.name === 'sipd alone';
      const ask = async (calls: number) => {
        const asking = await startSipp(t, {
          calls,
          rate,
          remote: system.sip,
          scenario: options(isAlone ? '999' : '70', isAlone ? 400 : 200),
          keepsMessages: false,
          args: ['-buff_size', '4000000', '-trace_stat', '-fd', '1', '-l', String(rate), '-timeout', '120s'],
        });
        await asking.done;
        return asking.statistics();
      };
      await ask(WARM_UP);
      const pids = system.pids();
      const servers = pids.filter((pid) => !commandOf(pid).includes('b2bua.mjs'));
      const used = () => ({ all: sum(pids.map(cpuMs)), servers: sum(servers.map(cpuMs)), drops: kernelDrops() });
      const before = used();
      const said = await ask(rate * seconds);
      const after = used();
      steps.push({
        path: candidate.name,
        offeredPerSecond: rate,
        seconds,
        answered: said.number('SuccessfulCall(C)'),
        retransmitted: said.number('Retransmissions(C)'),
        kernelDrops: after.drops - before.drops,
        cpuMicrosEach: round(((after.all - before.all) * 1000) / (rate * seconds)),
        signallingMicros: round(((after.servers - before.servers) * 1000) / (rate * seconds)),
      });
    } finally {
      for (const fn of undo) await fn();
    }
  }
  return steps;
}

const options = (maxForwards: string, status: number) => `
<send retrans="500"><![CDATA[

OPTIONS sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
From: <sip:2101@[remote_ip]>;tag=[pid]o[call_number]
To: <sip:[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Max-Forwards: ${maxForwards}
Content-Length: 0

]]></send>
<recv response="${status}"/>`;
