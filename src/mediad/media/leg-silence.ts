/** Whether a phone that should be heard is heard. Who has said that nobody speaks there shows by its reports that it is still there. */
export class LegSilence {
  readonly #limitMs: number;
  readonly #silent: (silentMs: number) => void;
  #lastMs: number;
  #reports = 0;
  #isQuietThere = false;

  /** `limitMs` 0: never. `silent`: told again each time so much has passed. */
  constructor(limitMs: number, nowMs: number, silent: (silentMs: number) => void) {
    this.#limitMs = limitMs;
    this.#lastMs = nowMs;
    this.#silent = silent;
  }

  get isSilent(): boolean {
    return this.#reports > 0;
  }

  /** A packet, or a change of what is expected: from here on. */
  heard(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#reports = 0;
  }

  /** It speaks, or says by comfort noise that nobody does. */
  saysQuiet(isQuiet: boolean): void {
    this.#isQuietThere = isQuiet;
  }

  /** By RTCP. */
  reported(nowMs: number): void {
    if (this.#isQuietThere) this.heard(nowMs);
  }

  /** Once per 20 ms, while the phone should be heard. */
  tick(nowMs: number): void {
    if (this.#limitMs === 0) return;
    const silentMs = nowMs - this.#lastMs;
    if (silentMs < this.#limitMs * (this.#reports + 1)) return;
    this.#reports += 1;
    this.#silent(Math.round(silentMs));
  }
}
