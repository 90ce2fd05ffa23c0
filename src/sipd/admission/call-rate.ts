/** So often lateness is looked at. */
export const lookEveryMs = 100;
/** What is begun in so many looks is what can be begun in a second. */
const looksKept = 1_000 / lookEveryMs;
/** Where calls have only just begun to come, by the last ones. */
const fewLooks = 3;

/** Of what was done while everything waited: the rest of the time goes to what waits. */
const easeTo = 0.8;
/** When it got twice as late as is too late in spite of that. */
const easeMuchTo = 0.5;
/** A cut shows when what waited before it has been done, and so much later. */
const settlesMs = 200;
/** It gets better if that much of the lateness is left, or less. */
const better = 0.95;
/** Refusing the last few would help nobody; and so many may come at once. */
const leastPerSecond = 10;
/** A look without lateness: quickly up to where it went well before, slowly beyond that. */
const backUp = 1.08;
const furtherUp = 1.02;
const nearlyAsBefore = 0.9;
/** Whoever has had in a second so much of what can be saved up leaves half of that to those who have had less. */
const largeShare = 0.25;
const savedFor = 0.5;
const shareOverMs = 1_000;
/** So long nobody was refused: there is no overload any more. */
const unlimitedAfterMs = 2_000;

/**
 * How many new calls a second are begun. As many as come, until somebody is late: then somewhat fewer than were begun just now,
 * for that is what there is time for, and a little more at each look that finds nobody late. So what waits stays short, whatever
 * is offered: a call that waits longer than half a second is sent again by its phone and costs twice.
 *
 * A single pause makes it a little slower for a moment, no more, so lateness counts at once. Time is an argument.
 *
 * Who comes from where few come gets in beside a place from where hundreds come, which may be somebody guessing passwords; a place
 * that is alone, such as a trunk, gets all there is.
 */
export class CallRate {
  readonly #tooLateMs: number;
  readonly #begun: number[] = Array.from({ length: looksKept }, () => 0);
  #perSecond = Number.POSITIVE_INFINITY;
  #wentWell = 0;
  #tokens = 0;
  #tokensAtMs = 0;
  /** What each place has had since then. Nobody is here who has had nothing, so there are no more of them than calls. */
  readonly #shares = new Map<string, number>();
  #sharesAtMs = 0;
  #settledAtMs = 0;
  /** How late it was at the last cut, or when that was looked at again. */
  #easedAtLateMs = 0;
  #refusedAtMs = 0;

  /** `tooLateMs`: what is later than that is too late, and what is later than half of it gets no better. */
  constructor(tooLateMs: number) {
    this.#tooLateMs = tooLateMs;
  }

  /** Infinity: as many as come. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** Somebody has done the first thing that a new call needs. */
  begun(): void {
    const last = this.#begun.length - 1;
    this.#begun[last] = (this.#begun[last] ?? 0) + 1;
  }

  /** Whether one more may begin now that comes from that place. */
  admits(nowMs: number, from: string): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    const most = Math.max(leastPerSecond, this.#perSecond / 10);
    const passedMs = Math.max(0, nowMs - this.#tokensAtMs);
    this.#tokens = Math.min(most, this.#tokens + (passedMs * this.#perSecond) / 1_000);
    this.#tokensAtMs = nowMs;
    if (nowMs - this.#sharesAtMs >= shareOverMs) {
      this.#sharesAtMs = nowMs;
      this.#shares.clear();
    }
    const share = this.#shares.get(from) ?? 0;
    if (this.#tokens >= (share < most * largeShare ? 1 : 1 + most * savedFor)) {
      this.#tokens -= 1;
      this.#shares.set(from, share + 1);
      return true;
    }
    this.#refusedAtMs = nowMs;
    return false;
  }

  /** To be called every `lookEveryMs`; `lateMs`: how late it is at this moment. */
  look(nowMs: number, lateMs: number): void {
    if (lateMs > this.#tooLateMs) this.#ease(nowMs, lateMs);
    else if (lateMs < this.#tooLateMs / 2) this.#grow(nowMs);
    if (lateMs <= this.#tooLateMs) this.#easedAtLateMs = 0;
    this.#begun.shift();
    this.#begun.push(0);
  }

  #ease(nowMs: number, lateMs: number): void {
    if (nowMs < this.#settledAtMs) return;
    // What waited before the last cut is being done: less would not make that faster.
    const getsBetter = lateMs < this.#easedAtLateMs * better;
    this.#easedAtLateMs = lateMs;
    if (getsBetter) return;
    const done = Math.max(this.#begunPerSecond(looksKept), this.#begunPerSecond(fewLooks));
    if (this.#perSecond === Number.POSITIVE_INFINITY) {
      this.#tokens = leastPerSecond;
      this.#tokensAtMs = nowMs;
      this.#refusedAtMs = nowMs;
      this.#wentWell = done;
    } else this.#wentWell = Math.max(this.#perSecond, this.#wentWell * easeTo);
    const ease = lateMs > this.#tooLateMs * 2 ? easeMuchTo : easeTo;
    this.#perSecond = Math.max(leastPerSecond, Math.min(this.#perSecond, done) * ease);
    this.#settledAtMs = nowMs + lateMs + settlesMs;
  }

  #begunPerSecond(looks: number): number {
    const begun = this.#begun.slice(-looks).reduce((all, count) => all + count, 0);
    return (begun * 1_000) / (looks * lookEveryMs);
  }

  #grow(nowMs: number): void {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return;
    if (nowMs - this.#refusedAtMs > unlimitedAfterMs) this.#perSecond = Number.POSITIVE_INFINITY;
    // Who refuses nobody learns nothing about what more would do.
    else if (nowMs - this.#refusedAtMs <= lookEveryMs)
      this.#perSecond *= this.#perSecond < this.#wentWell * nearlyAsBefore ? backUp : furtherUp;
  }
}
