/** What the admin server asks the house; the shell answers. */
export interface House {
  /** Alive: the process answers. Ready: it would take a call now. */
  readiness(): Readiness;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** By the token in its address. */
  calendar(token: string): Promise<PublishedCalendar | 'unknown' | 'busy'>;
}

export interface PublishedCalendar {
  /** RFC 5545. */
  readonly text: string;
  /** In quotes, as HTTP has it; another one for every other text. */
  readonly etag: string;
  readonly changedAt: number | null;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly parts: readonly { readonly part: string; readonly isGood: boolean; readonly says: string }[];
}
