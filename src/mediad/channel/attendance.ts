/**
 * What happens to a leg while no application controls it: a bridge, a prompt or a recording goes on, an idle leg hears the hold music, and after a
 * while (60 s) a leg that is not bridged is hung up, so that nobody waits for ever and nothing is leaked. Nobody can tell it that the other side of
 * its bridge has hung up: then it is hung up at once; nor ask its phone whether it is still there: silent for as long, it counts as gone.
 */
import type { PlayItem } from '../media/messages.ts';
import type { Running } from '../media/requests.ts';
import type { Channel } from './channel.ts';

export interface AttendanceOptions {
  readonly unattendedMs: number;
  readonly hold: readonly PlayItem[];
}

export class Attendance {
  readonly #channel: Channel;
  readonly #options: AttendanceOptions;
  #controllers = 0;
  #holding: Running<unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(channel: Channel, options: AttendanceOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  get isAttended(): boolean {
    return this.#controllers > 0;
  }

  /** An event socket of this leg's own has opened. */
  attended(): void {
    this.#controllers += 1;
    this.#stop();
  }

  /** It has closed. */
  left(): void {
    this.#controllers -= 1;
    if (this.#controllers > 0 || this.#channel.state === 'hungUp') return;
    this.#timer = setTimeout(() => this.#expired(), this.#options.unattendedMs);
    this.activity();
  }

  /** The other side of the bridge has hung up. */
  partnerLeft(): void {
    if (!this.isAttended) this.#channel.hangup('NORMAL_CLEARING');
  }

  /** The phone should be heard and is not. */
  phoneSilent(silentMs: number): void {
    if (!this.isAttended && silentMs >= this.#options.unattendedMs) this.#channel.hangup('MEDIA_TIMEOUT');
  }

  /** The leg has become idle or busy. */
  activity(): void {
    if (this.#timer === undefined) return;
    if (!this.#channel.isIdle) return this.#stopHolding();
    this.#holding ??= this.#channel.media.play(
      this.#options.hold,
      { isEndless: true },
      { itemStarted() {}, itemStopped() {} },
    );
  }

  close(): void {
    this.#stop();
  }

  #expired(): void {
    const { peer, runningApplication } = this.#channel;
    const isInUse = peer !== undefined || runningApplication === 'record' || runningApplication === 'conference';
    if (isInUse) this.#timer = setTimeout(() => this.#expired(), this.#options.unattendedMs);
    else this.#channel.hangup('NORMAL_CLEARING');
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stopHolding();
  }

  #stopHolding(): void {
    this.#holding?.stop();
    this.#holding = undefined;
  }
}
