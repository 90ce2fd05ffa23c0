/** A desk phone by extension (every contact of it rings), or an outside number through a trunk. */
export type LegTarget =
  | { readonly kind: 'extension'; readonly extension: string }
  /**
   * `dial`: how the trunk wants the number to be sent, where that is not E.164. `failover`: further trunks, which are
   * tried when this one cannot take the call or is silent for long.
   */
  | {
      readonly kind: 'number';
      readonly e164: string;
      readonly trunk: string;
      readonly dial?: string;
      readonly failover?: readonly string[];
    };
