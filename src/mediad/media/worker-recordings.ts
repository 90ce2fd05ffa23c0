/** The recordings of a worker: each a sealed container on the disk, and complete before the thread may end. */
import { unlink } from 'node:fs/promises';
import { SealedFile, SealedWriter } from '../../vault/index.ts';
import { SAMPLE_RATE, type G711 } from './codec/g711.ts';
import type { RecordRequest } from './messages.ts';
import { Recorder, type RecordResult } from './recorder.ts';
import { channelsOf, SessionRecorder } from './session-recorder.ts';

export class WorkerRecordings {
  readonly #closed: () => void;
  #open = 0;

  /** `closed`: one more is complete. */
  constructor(closed: () => void) {
    this.#closed = closed;
  }

  get areOpen(): boolean {
    return this.#open > 0;
  }

  /** How many. */
  get count(): number {
    return this.#open;
  }

  /** What one side says, in this law. Rejects when there can be no such file. */
  async open(law: G711, request: RecordRequest, ended: (result: RecordResult) => void): Promise<Recorder> {
    let recorder: Recorder | undefined;
    const sink = await openWriter(law, 1, request, () => recorder?.close('failed'));
    this.#open += 1;
    recorder = new Recorder({
      sink,
      law,
      limits: request.limits,
      nowMs: performance.now(),
      ended: (result) => this.#ended(result, ended),
    });
    return recorder;
  }

  /** Both sides of a leg. As `open`. */
  async openSession(
    request: RecordRequest & { readonly session: NonNullable<RecordRequest['session']> },
    ended: (result: RecordResult) => void,
  ): Promise<SessionRecorder> {
    let recorder: SessionRecorder | undefined;
    const ways = request.session;
    const sink = await openWriter('PCMU', channelsOf(ways), request, () => recorder?.close('failed'));
    this.#open += 1;
    recorder = new SessionRecorder({
      sink,
      ways,
      maxMs: request.limits.maxMs,
      ended: (result) => this.#ended(result, ended),
    });
    return recorder;
  }

  #ended(result: RecordResult, ended: (result: RecordResult) => void): void {
    this.#open -= 1;
    ended(result);
    this.#closed();
  }
}

async function openWriter(
  law: G711,
  channels: 1 | 2,
  { path, recipients, metadata }: RecordRequest,
  onFailure: () => void,
): Promise<SealedWriter> {
  const sink = await SealedFile.create(path);
  const format = { encoding: law, rate: SAMPLE_RATE, channels };
  try {
    return await SealedWriter.open({ sink, recipients, format, metadata, onFailure });
  } catch (error) {
    await sink.close();
    await unlink(path);
    throw error;
  }
}
