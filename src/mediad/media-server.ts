/** Puts the parts together: media threads, the SIP side, the event socket. */
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Application } from './channel/channel.ts';
import { basicApplications } from './channel/applications/basic.ts';
import { hearingApplications } from './channel/applications/hearing.ts';
import { playAndGetDigits } from './channel/applications/play-and-get-digits.ts';
import { playbackApplications } from './channel/applications/playback.ts';
import { HOLD_MUSIC, PromptFinder } from './channel/applications/prompts.ts';
import { LentKeys } from './channel/lent-keys.ts';
import { recordApplications } from './channel/applications/record.ts';
import { findPlace, type RecordSettings } from './channel/applications/recording-request.ts';
import { say } from './channel/applications/say.ts';
import { SessionRecordings } from './channel/applications/record-session.ts';
import { Conferences } from './channel/conference/conferences.ts';
import { Switchboard } from './channel/switchboard.ts';
import type { ApiContext } from './event-socket/api-commands.ts';
import { Dialler } from './event-socket/dialler.ts';
import { EventSocketListener } from './event-socket/listener.ts';
import type { Log } from './log.ts';
import { MediaWorkers } from './media/media-workers.ts';
import { metricsText } from './metrics-text.ts';
import type { MediadOptions } from './options.ts';
import type { MetricsServer } from '../observe/index.ts';
import { Synthesiser } from './speech/synthesiser.ts';
import { UserAgent } from './sip/user-agent.ts';
import type { TlsCredentials } from '../sip/index.ts';

/** Unless told otherwise: each takes memory, and 300 calls fill none. */
const MOST_THREADS = 4;

/** A part that could not start; the message names the place, the reason and the remedy. */
export class StartError extends Error {
  readonly code = 'startFailed';
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StartError';
  }
}

export class MediaServer {
  readonly #options: MediadOptions;
  readonly #log: Log;
  readonly #workers: MediaWorkers;
  readonly #switchboard: Switchboard;
  readonly #dialler: Dialler;
  readonly #context: ApiContext;
  #agent!: UserAgent;
  #listener!: EventSocketListener;
  #metrics: MetricsServer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(parts: {
    readonly options: MediadOptions;
    readonly log: Log;
    readonly lent: LentKeys;
    readonly prompts: PromptFinder;
    readonly hold: Switchboard['options']['hold'];
  }) {
    const { options, log, lent, prompts, hold } = parts;
    this.#options = options;
    this.#log = log;
    const { rtp } = options;
    const settings = {
      bindAddress: rtp.bindAddress,
      portsFrom: rtp.portsFrom,
      portsTo: rtp.portsTo,
      mediaSilenceMs: rtp.silenceMs,
      promptCacheBytes: options.promptCacheBytes,
    };
    const { workers } = options;
    const threads =
      workers === undefined
        ? { first: 1, most: Math.min(MOST_THREADS, availableParallelism()) }
        : { first: workers, most: workers };
    this.#workers = new MediaWorkers(threads, settings, {
      failed: (error) => this.#failed(error),
      notStarted: ({ message }) =>
        log.error({ reason: message }, 'another media thread did not start: fewer serve all legs'),
    });
    this.#switchboard = new Switchboard({
      maxChannels: options.maxChannels,
      unattendedMs: options.unattendedMs,
      hold,
      profile: options.sip.profile,
      sipAddress: () => `${options.sip.advertisedHost ?? options.sip.host}:${this.#agent.port}`,
      tlsAddress: () =>
        this.#agent.tlsPort === undefined
          ? undefined
          : `${options.sip.advertisedHost ?? options.sip.host}:${this.#agent.tlsPort}`,
    });
    this.#dialler = new Dialler(options.eventSocket.outboundHosts, log);
    const recording: RecordSettings = { folder: options.recordingsFolder, sealTo: options.sealTo, log };
    const conferences = new Conferences({
      bus: this.#switchboard.bus,
      pickWorker: () => this.#workers.pick(),
      maxConferences: options.maxChannels,
    });
    this.#context = {
      switchboard: this.#switchboard,
      conferences,
      prompts,
      recording,
      sessions: new SessionRecordings(recording),
      dial: (channel, target) => this.#dialler.dial(channel, target, this.#context),
      lend: async (channel, file, key) => {
        const place = await findPlace(file, options.recordingsFolder);
        if (place.kind === 'refused') return { refused: place.reason };
        const word = lent.lend(channel.uuid, { path: place.path, key });
        return word === undefined ? { refused: 'too many recordings are lent already' } : { word };
      },
    };
  }

  /** Rejects with StartError; nothing is left open then. */
  static async open(options: MediadOptions, log: Log): Promise<MediaServer> {
    const lent = new LentKeys();
    const speech = await starting(
      Synthesiser.open(options.speech, options.eventSocket.secret),
      `speech.cacheFolder ${options.speech.cacheFolder}`,
      'make it writable',
    );
    const prompts = new PromptFinder(options.promptFolders, options.holdMusic, lent, speech);
    const hold = await prompts.find(HOLD_MUSIC, '');
    if (!(await prompts.hasHoldMusic())) log.warn({ file: options.holdMusic }, 'no hold music: a tone instead');
    const server = new MediaServer({ options, log, lent, prompts, hold: hold.kind === 'found' ? hold.items : [] });
    try {
      await server.#open();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get eventSocketPort(): number {
    return this.#listener.port;
  }

  /** undefined: no metrics. */
  get metricsPort(): number | undefined {
    return this.#metrics?.address.port;
  }

  get sipPort(): number {
    return this.#agent.port;
  }

  /** Hangs up, finishes the recordings, closes everything. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { eventSocket, sip, rtp, recordingsFolder, codecs, codecOrder } = this.#options;
    const { prompts, recording, sessions, conferences } = this.#context;
    if (recordingsFolder !== undefined) {
      await starting(
        mkdir(recordingsFolder, { recursive: true, mode: 0o700 }),
        `recordingsFolder ${recordingsFolder}`,
        'make it writable',
      );
    }
    const applications = new Map<string, Application>([
      ...basicApplications,
      ...playbackApplications(prompts, this.#log),
      ...hearingApplications(),
      ...recordApplications(recording, sessions),
      ['conference', conferences.application],
      ['say', say(prompts)],
      ['play_and_get_digits', playAndGetDigits(prompts, this.#log)],
    ]);
    this.#agent = await starting(
      UserAgent.open({
        ...sip,
        advertisedHost: sip.advertisedHost,
        mediaAddress: rtp.advertisedAddress ?? rtp.bindAddress,
        codecs: { names: codecs, order: codecOrder },
        tls: sip.tls === undefined ? undefined : { port: sip.tls.port, credentials: await readCredentials(sip.tls) },
        applications,
        context: this.#context,
        dialler: this.#dialler,
        log: this.#log,
        workers: this.#workers,
      }),
      `SIP address ${sip.host}:${sip.port} (options sip.host, sip.port)`,
      'stop what uses it or choose another',
    );
    this.#listener = await starting(
      EventSocketListener.open(eventSocket, eventSocket.secret, this.#context),
      `event socket ${eventSocket.host}:${eventSocket.port} (options eventSocket.host, eventSocket.port)`,
      'stop what uses it or choose another',
    );
    const { metrics } = this.#options;
    if (metrics === undefined) return;
    // Not before: what else is published there takes long to load.
    const { MetricsServer } = await import('../observe/index.ts');
    this.#metrics = await starting(
      MetricsServer.open(metrics, () => this.#metricsText()),
      `metrics address ${metrics.host}:${metrics.port} (option metrics)`,
      'stop what uses it or choose another',
    );
  }

  async #metricsText(): Promise<string> {
    return metricsText(await this.#workers.measure(), this.#switchboard.count);
  }

  async #close(): Promise<void> {
    this.#agent?.drain();
    const ended = this.#switchboard.channels.length;
    this.#switchboard.close();
    await this.#workers.close();
    // The BYEs and the last events are on their way.
    if (ended > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    this.#metrics?.close();
    this.#dialler.close();
    this.#listener?.close();
    this.#agent?.close();
  }

  /** Without its thread no leg has audio: better to end, and be restarted, than to be silent. */
  #failed(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#log.error({ reason: error.message }, 'media thread failed');
    for (const channel of this.#switchboard.channels) channel.hangup('MEDIA_TIMEOUT');
    throw error;
  }
}

async function readCredentials(tls: NonNullable<MediadOptions['sip']['tls']>): Promise<TlsCredentials> {
  const read = (path: string, option: string) =>
    starting(readFile(path, 'utf8'), `${option} ${path}`, 'give the path of a PEM file that this user can read');
  return {
    certificate: await read(tls.certificateFile, 'sip.tls.certificateFile'),
    key: await read(tls.keyFile, 'sip.tls.keyFile'),
    clientCertificates: 'ignored',
  };
}

async function starting<T>(part: Promise<T>, place: string, remedy: string): Promise<T> {
  try {
    return await part;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new StartError(`${place} cannot be used: ${reason}; ${remedy}`, error);
  }
}
