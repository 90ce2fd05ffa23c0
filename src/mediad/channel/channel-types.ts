/** FreeSWITCH's names of Q.850 causes. */
export type HangupCause = string;

/** Where a digit came from, in FreeSWITCH's words. */
export type DigitSource = 'RTP' | 'INBAND_AUDIO' | 'ENDPOINT' | 'APP';

export interface HeardDigit {
  readonly digit: string;
  readonly durationSamples: number;
  readonly source: DigitSource;
  readonly ssrc?: number;
  readonly timestamp?: number;
}
