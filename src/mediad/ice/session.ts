/** What proves to each other that the two sides have read each other's description (RFC 8839 5.4). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** Of one generation of checks. The other side's password is only for checks of ours, and we send none. */
export interface IceSession {
  readonly local: IceCredentials;
  readonly remoteUfrag: string;
}
