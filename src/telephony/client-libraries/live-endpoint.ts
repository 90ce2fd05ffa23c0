import type Mrf from 'drachtio-fsmrf';
import { cleanArgument } from './clean-argument.ts';
import { modifyDialog } from './modify-dialog.ts';
import type { SrfDialog } from './srf-types.ts';

export type Endpoint = Mrf.Endpoint;
export type EslEvent = Mrf.EslEvent;

/** mediad's own: a phone sends no sound. */
export const mediaSilent = 'wardline::media_timeout';

/** mediad's own: who seems to have answered, in JSON. */
export const answerHint = 'wardline::answer_hint';

const question = 'play_and_get_digits';

/** Of keys that nobody has asked for so many are kept. */
const maxKeys = 8;

export interface LiveEndpointEvents {
  /** It is no more, told once. */
  ended(): void;
  silent(): void;
  /** What the media server says, once it was asked by `hint`. */
  hinted(told: unknown): void;
}

/**
 * An endpoint of the library of which nothing is waited for in vain.
 *
 * drachtio-fsmrf 5.0.1, drachtio-modesl 1.3.1: what is asked of an endpoint never settles when the endpoint ends first. So
 * everything here is raced with that end, and is 'gone' or rejects then.
 */
export class LiveEndpoint {
  readonly #endpoint: Endpoint;
  readonly #events: LiveEndpointEvents;
  readonly #gone = Promise.withResolvers<'gone'>();
  #isGone = false;
  #answer: string | null = null;
  #isHungUp = false;
  /** The media server asks, and what is pressed is the answer. */
  #isAsking = false;
  /** Pressed while it did not ask, since the last question that was a new one. */
  #keys: string[] = [];
  /** Of a question asked again which the media server has not begun with. */
  #answerEarly: ((key: string) => void) | null = null;

  /** Throws for one that has ended while the library was handing it over, which nobody heard. */
  constructor(endpoint: Endpoint, events: LiveEndpointEvents) {
    if (!endpoint.connected) throw new Error('the media server dropped the endpoint at once');
    this.#endpoint = endpoint;
    this.#events = events;
    endpoint.once('destroy', () => this.end());
    endpoint.on(mediaSilent, () => events.silent());
    endpoint.on(answerHint, (told: unknown) => events.hinted(told));
    this.#hearKeys(endpoint);
  }

  get uuid(): string {
    return this.#endpoint.uuid;
  }

  /** With the media server. */
  get dialog(): SrfDialog {
    return this.#endpoint.dialog as SrfDialog;
  }

  /** Description to offer or to answer with: what the media server said last. */
  get sdp(): string {
    return this.#answer ?? this.#endpoint.local.sdp;
  }

  /** Also to be called by whoever knows that its media server is gone. May be called twice. */
  end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    // In a later turn: what the media server reported in the same breath comes first.
    setImmediate(() => this.#gone.resolve('gone'));
    // A media server that was killed says no BYE: without ours the dialog would be kept for ever.
    if (!this.#isHungUp && this.dialog.connected) this.dialog.destroy({}, () => {});
    this.#events.ended();
  }

  /** Gives it the far end's description; resolves with its own. */
  async modify(sdp: string): Promise<string> {
    const answer = await Promise.race([modifyDialog(this.dialog, sdp), this.#gone.promise]);
    if (answer === 'gone' && this.#isGone) throw new Error('the media endpoint is gone');
    this.#answer = answer;
    return answer;
  }

  play(file: string): Promise<unknown> {
    return this.#orGone(this.#endpoint.play(cleanArgument(file)));
  }

  /**
   * The keys; '' when none came in time. `isAgain`: the question that was asked last, once more: a single key that was
   * pressed since is the answer. FreeSWITCH 1.10.12 and mediad both throw keys away that come between two questions.
   */
  async collect(options: Parameters<Endpoint['playCollect']>[0], { isAgain }: { isAgain: boolean }): Promise<string> {
    if (!isAgain) this.#keys = [];
    const takesEarly = isAgain && options.max === 1;
    const key = takesEarly ? this.#keys.shift() : undefined;
    // In a later turn, like every other answer.
    if (key !== undefined) return new Promise((resolve) => setImmediate(() => resolve(key)));
    const early = Promise.withResolvers<string>();
    this.#answerEarly = takesEarly ? early.resolve : null;
    const asked = this.#endpoint.playCollect({ ...options, file: cleanArgument(options.file) });
    const collected = await this.#orGone(Promise.race([asked, early.promise]));
    if (typeof collected === 'string') return collected === 'gone' ? '' : collected;
    return collected.digits ?? collected.invalidDigits ?? '';
  }

  /** drachtio-fsmrf 5.0.1: its own `record` hides why the recording ended. */
  record(file: string, limits: readonly number[]): Promise<EslEvent | 'gone'> {
    return this.#orGone(this.#endpoint.execute('record', [cleanArgument(file), ...limits].join(' ')));
  }

  bridge(other: LiveEndpoint): Promise<void | 'gone'> {
    return Promise.race([this.#endpoint.bridge(other.#endpoint), this.#gone.promise, other.#gone.promise]);
  }

  /**
   * At once. drachtio-fsmrf 5.0.1 sets variables by the application `set`, which FreeSWITCH 1.10.12 queues behind a running
   * prompt and forgets with it when that is broken off.
   */
  set(variable: string, value: string): void {
    this.#tell('uuid_setvar', variable, cleanArgument(value));
  }

  /** Keys, as if they had come in the sound. */
  press(keys: string): void {
    this.#tell('uuid_recv_dtmf', keys);
  }

  /** drachtio-fsmrf 5.0.1 can only ask behind what is running; this ends what is running and what is queued behind it. */
  breakOff(): void {
    this.#tell('uuid_break', 'all');
  }

  /** Asks who seems to have answered. Only for mediad: FreeSWITCH hangs up for an application that it does not know. */
  hint(): void {
    this.#endpoint.execute('wardline_answer_hint', '').catch(() => {});
  }

  /**
   * A BYE, which ends it at once. drachtio-fsmrf 5.0.1: its own `destroy` queues behind a running prompt, waits for a BYE of
   * the media server, and never settles when our BYE came first.
   */
  hangUp(): void {
    this.#isHungUp = true;
    this.dialog.destroy({}, (error) => {
      // The signalling server is gone or does not know the dialog any more: the media server is told directly.
      if (error) this.#tell('uuid_kill');
    });
  }

  /** In the order in which the media server tells: questions begin and end, and between them keys belong to nobody. */
  #hearKeys(endpoint: Endpoint): void {
    const when = (event: string, run: () => void): void => {
      endpoint.conn?.on(`esl::event::${event}::${endpoint.uuid}`, (told: EslEvent) => {
        if (told.getHeader('Application') === question) run();
      });
    };
    when('CHANNEL_EXECUTE', () => {
      this.#isAsking = true;
      this.#answerEarly = null;
    });
    when('CHANNEL_EXECUTE_COMPLETE', () => {
      this.#isAsking = false;
    });
    endpoint.on('dtmf', ({ dtmf: key }: { dtmf: string }) => {
      if (this.#isAsking) return;
      if (this.#answerEarly === null) {
        if (this.#keys.length < maxKeys) this.#keys.push(key);
        return;
      }
      this.#answerEarly(key);
      this.#answerEarly = null;
      this.breakOff();
    });
  }

  #orGone<T>(work: Promise<T>): Promise<T | 'gone'> {
    return Promise.race([work, this.#gone.promise]);
  }

  /** Its result shows in what follows; it fails only when the endpoint is gone, which is told elsewhere. */
  #tell(command: string, ...said: readonly string[]): void {
    this.#endpoint.api(command, [this.uuid, ...said]).catch(() => {});
  }
}
