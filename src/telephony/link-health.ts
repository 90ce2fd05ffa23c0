export interface LinkHealth {
  readonly isUp: boolean;
  /** '' when up. */
  readonly why: string;
}

/** One server as /readyz and the metrics tell of it. */
export interface ServerHealth extends LinkHealth {
  readonly name: string;
  readonly isDraining: boolean;
  /** Legs and INVITEs that are still there; 0: nobody would miss it. */
  readonly legs: number;
}
