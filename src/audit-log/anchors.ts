import { createSocket } from 'node:dgram';
import { hostname } from 'node:os';
import { connect } from 'node:net';
import type { Clock } from '../engine/ports.ts';
import type { Health, Logger } from '../observe/index.ts';
import { LineFile } from './line-file.ts';
import { byTimeStamp } from './time-stamp.ts';

/** Where the heads of the chain go, so that whoever owns this machine cannot take them back. */
export interface AnchorsParts {
  /**
   * A file's path, `udp://host:514` or `tcp://host:514` for syslog, `https://…` for a POST, `rfc3161+https://…` for a
   * time-stamp service (options.ts).
   */
  readonly places: readonly string[];
  /** Where the answers of time-stamp services are kept. */
  readonly timeStamps: LineFile;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
}

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 300_000;
const ANSWER_MS = 10_000;
/** A later head says everything that an earlier one said; so of many that wait the newest are kept. */
const MAX_WAITING = 1000;
/** log audit, notice (RFC 5424 section 6.2.1). */
const PRIORITY = 13 * 8 + 5;

export class Anchors {
  /** Places that can be read back. */
  readonly files: readonly string[];
  readonly #queues: readonly AnchorQueue[];
  readonly #timeStamps: LineFile;

  constructor(parts: AnchorsParts) {
    this.files = parts.places.filter((place) => !place.includes('://'));
    this.#timeStamps = parts.timeStamps;
    this.#queues = parts.places.map((place) => new AnchorQueue(place, parts));
  }

  /** Never waits, never throws. */
  send(line: string): void {
    for (const queue of this.#queues) queue.send(line);
  }

  /** One last attempt for what waits. */
  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()));
    await this.#timeStamps.close();
  }
}

/** One place: heads in order, each tried until it arrives. */
class AnchorQueue {
  readonly #place: string;
  readonly #parts: AnchorsParts;
  readonly #deliver: (lines: readonly string[]) => Promise<void>;
  readonly #file: LineFile | null;
  #waiting: string[] = [];
  #sending: Promise<void> | null = null;
  #retryMs = FIRST_RETRY_MS;
  #retry: { cancel(): void } | null = null;

  constructor(place: string, parts: AnchorsParts) {
    this.#place = place;
    this.#parts = parts;
    const file = place.includes('://') ? null : new LineFile(place);
    this.#file = file;
    this.#deliver = file === null ? delivery(place, parts) : (lines) => file.append(lines);
  }

  get #check(): string {
    return `audit anchor ${this.#place}`;
  }

  send(line: string): void {
    this.#waiting.push(line);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (this.#retry === null) this.#start();
  }

  async close(): Promise<void> {
    this.#retry?.cancel();
    this.#start();
    await this.#lastAttempt();
    this.#retry?.cancel();
    await this.#file?.close();
    this.#parts.health.forget(this.#check);
  }

  /** A network file system that hangs does not keep the house from stopping. */
  async #lastAttempt(): Promise<void> {
    const sending = this.#sending;
    if (sending === null) return;
    let patience = { cancel: () => {} };
    const isOver = new Promise<void>((resolve) => {
      patience = this.#parts.clock.after(ANSWER_MS, resolve);
    });
    await Promise.race([sending, isOver]);
    patience.cancel();
  }

  #start(): void {
    this.#retry = null;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = null;
    });
  }

  async #drain(): Promise<void> {
    const { clock, health, logger } = this.#parts;
    while (this.#waiting.length > 0) {
      const batch = [...this.#waiting];
      try {
        await this.#deliver(batch);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        logger.warn({ err: error, place: this.#place, heads: batch.length }, 'audit head not anchored');
        health.failing(this.#check, `${why}; the chain goes on, and what waits is sent when the place answers`);
        this.#retry = clock.after(this.#retryMs, () => this.#start());
        this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
        return;
      }
      this.#retryMs = FIRST_RETRY_MS;
      this.#waiting = this.#waiting.filter((line) => !batch.includes(line));
      health.ok(this.#check);
    }
  }
}

function delivery(place: string, { clock, timeStamps }: AnchorsParts): (lines: readonly string[]) => Promise<void> {
  const url = new URL(place);
  switch (url.protocol) {
    case 'rfc3161+http:':
    case 'rfc3161+https:':
      return (lines) => byTimeStamp(place, lines, timeStamps);
    case 'udp:':
      return (lines) =>
        bySyslogUdp(
          url,
          lines.map((line) => syslog(line, clock.now())),
        );
    case 'tcp:':
      return (lines) =>
        bySyslogTcp(
          url,
          lines.map((line) => syslog(line, clock.now())),
        );
    default:
      return (lines) => byPost(url, lines);
  }
}

/** RFC 5424 section 6. */
function syslog(line: string, now: number): string {
  return `<${PRIORITY}>1 ${new Date(now).toISOString()} ${hostname()} wardline ${process.pid} auditCheckpoint - ${line}`;
}

/** RFC 5426: one message in each datagram. Nobody tells whether it arrived. */
async function bySyslogUdp(url: URL, messages: readonly string[]): Promise<void> {
  const socket = createSocket(url.hostname.startsWith('[') ? 'udp6' : 'udp4');
  const failed = new Promise<never>((_, reject) => socket.on('error', reject));
  try {
    for (const message of messages) {
      const sent = new Promise<void>((resolve, reject) => {
        socket.send(message, Number(url.port), host(url), (error) => (error ? reject(error) : resolve()));
      });
      await Promise.race([sent, failed]);
    }
  } finally {
    socket.close();
  }
}

/** RFC 6587 section 3.4.1: octet counting. */
function bySyslogTcp(url: URL, messages: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(url.port), host: host(url), timeout: ANSWER_MS });
    socket.on('timeout', () => socket.destroy(new Error(`${url.host} does not answer`)));
    socket.on('error', reject);
    // Ended by both sides: everything was read.
    socket.on('close', () => resolve());
    socket.resume();
    socket.end(messages.map((message) => `${Buffer.byteLength(message)} ${message}`).join(''));
  });
}

/** The newest head alone: it says everything that the others say. */
async function byPost(url: URL, lines: readonly string[]): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: lines.at(-1) ?? '',
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${url.host} answered with status ${response.status}`);
}

function host(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
