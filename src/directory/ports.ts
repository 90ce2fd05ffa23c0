/** A phone as it is kept. Hex digests of "extension:realm:password" (RFC 7616 3.4.2). */
export interface PhoneRow {
  readonly extension: string;
  readonly ha1Md5: string;
  readonly ha1Sha256: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Where phones are kept. Every method rejects with PortError storeUnavailable. */
export interface PhoneRepository {
  /** False when the extension already has a phone. */
  insert(row: PhoneRow): Promise<boolean>;
  /** False when there was none. Its registrations go with it. */
  remove(extension: string): Promise<boolean>;
  list(): Promise<readonly PhoneRow[]>;
  /** Another text whenever a phone was added or removed, by whichever process. */
  revision(): Promise<string>;
}
