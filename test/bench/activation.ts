import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { resolve } from '../../src/core/dialplan/index.ts';
import { DocumentReader, documentsOptions, LiveDocuments, showProblem } from '../../src/documents/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import type { DocumentVersion } from '../../src/engine/ports.ts';
import { houseFiles, peopleFiles } from './activation-house.ts';
import { collect } from './collect.ts';

/**
 * A large roster comes into force while a call is decided every millisecond.
 * `documents`: files in a folder, from the moment they are saved: settling (100 ms), reading, YAML, checks, tables, the
 * proof. `sources`: 10⁶ people are more than files may hold (16 MB a folder); so a thread that has them as objects
 * stands in for the one that reads files; packing, the way to the app and all that comes behind is the same, the proof
 * is left out.
 */
export interface ActivationResult {
  readonly people: number;
  readonly services: number;
  readonly from: 'documents' | 'sources';
  /** From the save until new calls are decided by it. */
  readonly inForceMs: number;
  readonly decisions: number;
  /** A decision alone. */
  readonly longestDecisionMs: number;
  /** How late a call that was due was decided, by the clock: also while the machine had other things to do. */
  readonly longestWaitMs: number;
  /** The longest that the thread itself was busy with between two decisions, in its own CPU time. */
  readonly longestBusyMs: number;
  /** The same while the shifts are laid out ahead, in the three seconds after. */
  readonly after: {
    readonly longestDecisionMs: number;
    readonly longestWaitMs: number;
    readonly longestBusyMs: number;
  };
  /** Heap and buffers that the app holds more than with a house of ten people: everything, the texts of files too. */
  readonly bytesPerPerson: number;
  readonly ofTheseText: number;
}

const PROMPTS = new Set(['number-not-in-service']);
const SIZES = [
  { people: 100, services: 10, from: 'documents' },
  { people: 10_000, services: 1_000, from: 'documents' },
  { people: 200_000, services: 1_000, from: 'documents' },
  { people: 1_000_000, services: 10_000, from: 'sources' },
] as const;

export async function benchActivation(): Promise<readonly ActivationResult[]> {
  const results: ActivationResult[] = [];
  // The code is compiled by its first runs.
  for (const size of [SIZES[0], ...SIZES]) results.push(await measure(size));
  return results.slice(1);
}

async function measure(size: (typeof SIZES)[number]): Promise<ActivationResult> {
  const root = mkdtempSync(join(tmpdir(), 'wardline-activation-'));
  const save = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  };
  const folders = { dialplans: join(root, 'dialplans'), oncall: join(root, 'oncall') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  save(houseFiles(10));
  const reader = new DocumentReader({
    prompts: PROMPTS,
    clock: systemClock,
    ...(size.from === 'sources' ? { thread: new URL('./activation-thread.ts', import.meta.url) } : {}),
  });
  let isInForce: () => void = () => {};
  const saved: DocumentVersion[] = [];
  const documents = new LiveDocuments({
    options: documentsOptions.parse(folders),
    reader,
    versions: { save: async (version) => void saved.push(version), lastGood: () => saved.at(-1) ?? null },
    overrides: { revision: () => 0, list: () => [] },
    feeds: { revision: () => 0, documents: () => [] },
    clock: systemClock,
    onActivated: () => isInForce(),
    onRefused: (problems) => {
      throw new Error(problems.slice(0, 3).map(showProblem).join('\n'));
    },
    onUnsaved: () => {},
    onOverridesUnread: () => {},
    onProved: () => {},
    onClockImplausible: () => {},
  });
  try {
    const started = await documents.start();
    if (started.kind === 'refused') throw new Error(started.problems.map(showProblem).join('\n'));
    await wait(1_000);
    const before = heldBytes();
    const calls = new Calls(documents);
    calls.start();
    await wait(200);
    const inForce = new Promise<void>((done) => {
      isInForce = done;
    });
    const files = size.from === 'documents' ? peopleFiles(size) : houseFiles(11);
    // Writing the files is not the app's work, nor is clearing up after that.
    calls.stop();
    save(files);
    collect();
    const began = performance.now();
    calls.forget();
    calls.start();
    await inForce;
    const inForceMs = Math.round(performance.now() - began);
    const { decisions, ...during } = calls.told();
    calls.forget();
    await wait(3_000);
    const { decisions: _, ...after } = calls.told();
    calls.stop();
    const text = saved.at(-1)!.files.reduce((sum, file) => sum + file.text.length, 0);
    saved.length = 0;
    return {
      ...size,
      inForceMs,
      decisions,
      ...during,
      after,
      bytesPerPerson: Math.round((heldBytes() - before) / size.people),
      ofTheseText: Math.round(text / size.people),
    };
  } finally {
    await documents.close();
    await reader.close();
    rmSync(root, { recursive: true });
  }
}

/** A call that is due every millisecond. */
class Calls {
  readonly #documents: LiveDocuments;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = 0;
  #cpuMs = 0;
  #decisions = 0;
  #longest = { decision: 0, wait: 0, busy: 0 };

  constructor(documents: LiveDocuments) {
    this.#documents = documents;
  }

  start(): void {
    this.#dueAt = performance.now() + 1;
    this.#cpuMs = threadCpuMs();
    this.#timer = setTimeout(() => this.#call(), 1);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  forget(): void {
    this.#decisions = 0;
    this.#longest = { decision: 0, wait: 0, busy: 0 };
  }

  told() {
    const { decision, wait: late, busy } = this.#longest;
    const ms = (value: number) => Number(value.toFixed(2));
    return {
      decisions: this.#decisions,
      longestDecisionMs: ms(decision),
      longestWaitMs: ms(late),
      longestBusyMs: ms(busy),
    };
  }

  #call(): void {
    const began = performance.now();
    const cpuMs = threadCpuMs();
    const { plan, roster } = this.#documents.current();
    const at = systemClock.now();
    const { verb } = resolve(plan, {
      dialled: `7${String(this.#decisions % 10).padStart(5, '0')}1`,
      from: 'inside',
      at,
    });
    if (verb.verb === 'escalate') roster.whoIsOnCall(verb.service, 'primary', at);
    const ended = performance.now();
    this.#decisions += 1;
    this.#longest = {
      decision: Math.max(this.#longest.decision, ended - began),
      wait: Math.max(this.#longest.wait, ended - this.#dueAt),
      busy: Math.max(this.#longest.busy, cpuMs - this.#cpuMs),
    };
    this.start();
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
