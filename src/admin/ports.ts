/** What the admin server asks the house; the shell answers. */
export interface House {
  /** Alive: the process answers. Ready: it would take a call now. */
  readiness(): Readiness;
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly parts: readonly { readonly part: string; readonly isGood: boolean; readonly says: string }[];
}
