import { readAnswerHint } from './answer-hint.ts';
import { asError, type Endpoint, type EslEvent, LiveEndpoint, type SrfDialog } from './client-libraries/index.ts';
import type { AnswerHint, MeasuredSound } from '../core/call/index.ts';
import type { Playback } from './playback.ts';
import type { Recordings, Taking } from './recordings.ts';
import { sendsAudio } from './sdp.ts';

export interface Recorded {
  readonly durationMs: number;
  readonly by: 'key' | 'limit' | 'silence' | 'hangUp' | 'failed';
  /** '' unless it failed. */
  readonly why: string;
}

/** Of the channel: our tag, the dialog with the phone, and the signalling server that knows it, with blanks between. */
export const ownerVariable = 'wardline_dialog';

/** North American ringing at the level of the prompts; louder would startle whoever listens between them. */
const ringback = 'tone_stream://v=-12;%(2000,4000,440,480);loops=-1';
const music = 'local_stream://moh';
const nothing = 'silence_stream://100';

/** A voicemail caller who says nothing for this long has finished. */
const silenceSeconds = 10;
const silenceThreshold = 200;

export interface EndpointEvents {
  /** The media server dropped it. */
  gone(): void;
  /** The phone should be heard and is not. Told again and again while that lasts. */
  silent(): void;
  /** After its end, by a server that measures. */
  measured(sound: MeasuredSound): void;
  /** Once it was asked by `hint`, by a server that can. */
  hinted?(hint: AnswerHint): void;
}

/** The media server that an endpoint is on: it may be another machine, with other paths. */
export interface MediaSite {
  /** Of a prompt file here. */
  prompt(file: string): string;
  readonly recordings: Recordings;
  readonly playback: Playback;
  /** Whether it can tell by the sound who seems to have answered. */
  canHint(): boolean;
  /** The server itself is gone, or goes in this moment; not only one leg on it. */
  isLost(): Promise<boolean>;
}

/**
 * One party's end on the media server. What it is told replaces what it does; the outcome of something replaced is
 * never reported. Ends once: by close(), or by itself, which `gone` tells.
 */
export class MediaEndpoint {
  readonly #endpoint: LiveEndpoint;
  readonly #site: MediaSite;
  readonly #events: EndpointEvents;
  readonly #ended: () => void;
  #isClosed = false;
  /** By us. */
  #isHungUp = false;
  #isBusy = false;
  /** The phone is not on hold. */
  #isExpected = true;
  #turn = 0;

  /** `ended` runs once, however it ended. */
  constructor(endpoint: Endpoint, site: MediaSite, events: EndpointEvents, ended: () => void) {
    this.#endpoint = new LiveEndpoint(endpoint, {
      ended: () => this.#over(),
      silent: () => this.silent(),
      hinted: (told) => this.#hinted(told),
    });
    this.#site = site;
    this.#events = events;
    this.#ended = ended;
    // "!" joins files to one prompt, so that a whole prompt is one command that can be replaced as one.
    this.#endpoint.set('playback_delimiter', '!');
  }

  /** With the media server. */
  get dialog(): SrfDialog {
    return this.#endpoint.dialog;
  }

  get uuid(): string {
    return this.#endpoint.uuid;
  }

  /** Its server has told how it was; it is over. */
  measured(sound: MeasuredSound): void {
    this.#events.measured(sound);
  }

  /** Nothing comes from the phone. */
  silent(): void {
    if (!this.#isClosed && this.#isExpected) this.#events.silent();
  }

  /** Its media server is gone, or goes in this moment; not only this endpoint. */
  isServerLost(): Promise<boolean> {
    return this.#site.isLost();
  }

  /** Its media server does not answer any more. */
  lost(): void {
    this.#endpoint.end();
  }

  /** Description to offer or to answer with. */
  get sdp(): string {
    return this.#endpoint.sdp;
  }

  /** Writes on the endpoint whose dialog it serves, for a process after this one. */
  mark(owner: string, dialogId: string, signalling: string): void {
    this.#endpoint.set(ownerVariable, `${owner} ${dialogId} ${signalling}`);
  }

  /** Gives the endpoint the far end's description; resolves with its own. */
  async modify(sdp: string): Promise<string> {
    const answer = await this.#endpoint.modify(sdp);
    this.#isExpected = sendsAudio(sdp);
    return answer;
  }

  /** Files, then a loop if one is named. `done` runs at the end of the files unless replaced or followed by a loop. */
  play(files: readonly string[], then: 'nothing' | 'ringback' | 'music', done: (error: Error | null) => void): void {
    const turn = this.#next();
    const isCurrent = (): boolean => turn === this.#turn;
    const loop = (): void => {
      if (!isCurrent()) return;
      if (then === 'nothing') this.#isBusy = false;
      else this.#settle(this.#endpoint.play(then === 'music' ? music : ringback), isCurrent, done);
    };
    if (files.length === 0 && then !== 'nothing') return loop();
    this.#settle(this.#endpoint.play(this.#joined(files)), isCurrent, (error) => {
      loop();
      if (then === 'nothing' || error) done(error);
    });
  }

  /** Files, interrupted by the first key; then waits. '' when no key came in time. `isAgain`: see `LiveEndpoint.collect`. */
  gather(
    files: readonly string[],
    options: { maxDigits: number; waitMs: number; isAgain: boolean },
    done: (digits: string, error: Error | null) => void,
  ): void {
    this.#collect(this.#next(), this.#joined(files), options, done);
  }

  /** Files, a sealed message that is opened while it plays, files; else as `gather`. An error: it cannot be played. */
  gatherOnMessage(
    sounds: { readonly before: readonly string[]; readonly messageId: string; readonly after: readonly string[] },
    waitMs: number,
    done: (digits: string, error: Error | null) => void,
  ): void {
    const turn = this.#next();
    this.#site.playback.lend(this.uuid, sounds.messageId).then(
      (message) => {
        if (turn !== this.#turn) return;
        const files = [...sounds.before.map(this.#there), message, ...sounds.after.map(this.#there)].join('!');
        this.#collect(turn, files, { maxDigits: 1, waitMs, isAgain: false }, done);
      },
      (error: unknown) => {
        if (turn !== this.#turn || this.#isClosed) return;
        this.#isBusy = false;
        done('', asError(error));
      },
    );
  }

  #collect(
    turn: number,
    file: string,
    { maxDigits, waitMs, isAgain }: { maxDigits: number; waitMs: number; isAgain: boolean },
    done: (digits: string, error: Error | null) => void,
  ): void {
    const question = {
      file,
      min: 1,
      max: maxDigits,
      tries: 1,
      timeout: waitMs,
      // A single "#" is a wrong key, not an empty entry.
      terminators: maxDigits === 1 ? 'none' : '#',
      varName: `digits_${turn}`,
      regexp: '[0-9*#A-D]+',
      digitTimeout: Math.min(waitMs, 4000),
    };
    const collected = this.#endpoint.collect(question, { isAgain });
    let digits = '';
    this.#settle(
      collected.then((keys) => {
        digits = keys;
      }),
      () => turn === this.#turn,
      (error) => {
        this.#isBusy = false;
        done(digits, error);
      },
    );
  }

  /** Records what this party says, sealed to the recipients. `done` runs once, also when it ends. */
  record(
    name: string,
    options: { sealTo: readonly string[]; maxMs: number },
    done: (recorded: Recorded) => void,
  ): void {
    const turn = this.#next();
    this.#record(turn, name, options).then(
      (outcome) => {
        if (turn === this.#turn) this.#isBusy = false;
        // Not before: a variable is set at once, also while the recording runs.
        if (!this.#isClosed) this.#endpoint.set('playback_terminators', 'none');
        done(outcome);
      },
      () => {},
    );
  }

  /** Both hear each other. Rejects if either is gone or the media server will not. */
  async bridge(other: MediaEndpoint): Promise<void> {
    this.stop();
    other.stop();
    if ((await this.#endpoint.bridge(other.#endpoint)) === 'gone') throw new Error('a media endpoint is gone');
  }

  /** Keys that came by SIP INFO count like keys in the audio. */
  pressKeys(keys: string): void {
    this.#endpoint.press(keys);
  }

  /** Silence; what was running is not reported. */
  stop(): void {
    this.#next();
    this.#isBusy = false;
  }

  /** A recording under way still reports how long it was. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isHungUp = true;
    this.#endpoint.hangUp();
  }

  /** Asks who seems to have answered; nothing comes of it on a server that cannot tell. */
  hint(): void {
    if (this.#site.canHint()) this.#endpoint.hint();
  }

  #hinted(told: unknown): void {
    const hint = readAnswerHint(told);
    if (!this.#isClosed && hint !== null) this.#events.hinted?.(hint);
  }

  #over(): void {
    this.#ended();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.gone();
  }

  /** "!" joins files to one prompt, see the constructor. */
  #joined(files: readonly string[]): string {
    return files.map(this.#there).join('!') || nothing;
  }

  readonly #there = (file: string): string => this.#site.prompt(file);

  /** Never rejects. */
  async #record(turn: number, name: string, { sealTo, maxMs }: { sealTo: readonly string[]; maxMs: number }) {
    const limitSeconds = Math.max(1, Math.round(maxMs / 1000));
    const failed = (why: string, durationMs = 0): Recorded => ({ durationMs, by: 'failed', why });
    let taking: Taking;
    try {
      taking = await this.#site.recordings.begin(name, sealTo);
    } catch (error) {
      return failed(asError(error).message);
    }
    const outcome =
      turn === this.#turn ? await this.#take(taking, limitSeconds) : failed('something else was asked for');
    try {
      const durationMs = (await taking.complete()) ?? outcome.durationMs;
      return { ...outcome, durationMs };
    } catch (error) {
      return failed(asError(error).message, outcome.durationMs);
    }
  }

  /** Never rejects. */
  async #take({ file, variables }: Taking, limitSeconds: number): Promise<Recorded> {
    const failed = (why: string): Recorded => ({ durationMs: 0, by: 'failed', why });
    try {
      for (const [variable, value] of variables) this.#endpoint.set(variable, value);
      this.#endpoint.set('playback_terminators', '#');
      const recorded = await this.#endpoint.record(file, [limitSeconds, silenceThreshold, silenceSeconds]);
      if (recorded !== 'gone') return this.#recorded(recorded, limitSeconds);
      return this.#isHungUp ? { durationMs: 0, by: 'hangUp', why: '' } : failed('the media server dropped the caller');
    } catch (error) {
      return failed(asError(error).message);
    }
  }

  #recorded(event: EslEvent, limitSeconds: number): Recorded {
    const header = (name: string): string => event.getHeader(name) ?? '';
    const durationMs = Number(header('variable_record_ms')) || 0;
    const response = header('Application-Response');
    const cause = header('variable_record_completion_cause');
    if (response.startsWith('-ERR') || cause === 'failure') {
      // The record is to say the reason, whoever seals, and not the words of a protocol around it.
      const why = response.replace(/^-ERR (?:recording (?:refused|ended early): )?/, '') || cause;
      return { durationMs, by: 'failed', why };
    }
    const by = (): Recorded['by'] => {
      if (this.#isClosed || cause === 'success-hangup') return 'hangUp';
      if (header('variable_playback_terminator_used') === '#') return 'key';
      // FreeSWITCH 1.10.12 tells no cause of the application `record`.
      if (cause === 'success-maxtime' || durationMs >= limitSeconds * 1000) return 'limit';
      return 'silence';
    };
    return { durationMs, by: by(), why: '' };
  }

  #next(): number {
    if (this.#isBusy && !this.#isClosed) this.#endpoint.breakOff();
    this.#isBusy = true;
    this.#turn += 1;
    return this.#turn;
  }

  #settle(work: Promise<unknown>, isCurrent: () => boolean, done: (error: Error | null) => void): void {
    const tell = (error: Error | null): void => {
      if (isCurrent() && !this.#isClosed) done(error);
    };
    work.then(
      () => tell(null),
      (error: unknown) => tell(asError(error)),
    );
  }
}
