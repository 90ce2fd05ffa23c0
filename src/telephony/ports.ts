import type { Instant } from '../core/time/index.ts';
import type { WaitingMessages } from '../core/voicemail/index.ts';

/** Hex digests of "user:realm:password" for both algorithms (RFC 7616 3.4.2). */
export interface DigestSecrets {
  readonly md5: string;
  readonly sha256: string;
}

/** Looked up between a request and its answer, so it must come from memory. */
export interface Credentials {
  ha1(extension: string): DigestSecrets | undefined;
}

/** Where a phone can be reached (RFC 3261 10.3), with the address its REGISTER came from. */
export interface ContactBinding {
  readonly extension: string;
  /** As registered: "sip:2101@10.0.0.9:5060;transport=udp". */
  readonly uri: string;
  /** 0…1000, thousandths of the q value; higher rings first. */
  readonly q: number;
  readonly expiresAt: Instant;
  readonly registeredAt: Instant;
  readonly callId: string;
  readonly cseq: number;
  /** `+sip.instance` (RFC 5626), '' when the phone gave none. */
  readonly instance: string;
  readonly source: PeerAddress;
  readonly userAgent: string;
  /** Signalling server at which it registered; '' for one of before there were several. */
  readonly server: string;
}

export interface PeerAddress {
  readonly ip: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';
}

/** Keeps registrations across a restart. A failing store is logged; the phone stays registered in memory. */
export interface Bindings {
  load(): Promise<readonly ContactBinding[]>;
  /** Key: extension and uri. */
  save(binding: ContactBinding): Promise<void>;
  remove(extension: string, uri: string): Promise<void>;
}

/** For tests and for a start without a store. */
export class MemoryBindings implements Bindings {
  readonly #kept = new Map<string, ContactBinding>();

  async load(): Promise<readonly ContactBinding[]> {
    return [...this.#kept.values()];
  }

  async save(binding: ContactBinding): Promise<void> {
    this.#kept.set(`${binding.extension} ${binding.uri}`, binding);
  }

  async remove(extension: string, uri: string): Promise<void> {
    this.#kept.delete(`${extension} ${uri}`);
  }
}

/** age recipients that a mailbox's messages are sealed to ("age1…"). Empty: recording is refused. */
export type SealRecipients = (mailbox: string) => readonly string[];

/** What the lamps of phones show. */
export interface Lamps {
  /** One look at all mailboxes: the messages of a phone's mailbox, null for a phone that has none. Never throws. */
  now(): (extension: string) => WaitingMessages | null;
}

/** The data key of one sealed message, to be lent to the media server that plays it. Rejects with what is wrong. */
export type MessageKey = (messageId: string) => Promise<Uint8Array>;

/** A conversation of an earlier process with this dialog is over. false: there is none. */
export type TalkOver = (dialogId: string, why: 'hungUp' | 'lost') => boolean;

/** Told of every phone that registers and of every wrong password; `extension` is '' for a name that nobody has. */
export interface LoginWatch {
  right(extension: string, sourceIp: string): void;
  wrong(extension: string, sourceIp: string): void;
}

/** Fixed words and fields, as pino takes them. */
export interface Log {
  info(fields: object, words: string): void;
  warn(fields: object, words: string): void;
  error(fields: object, words: string): void;
}

/** Seals what a media server that cannot seal writes into memory. */
export interface PlainSealer {
  /** Follows `plain`, which need not be there yet, into `sealed`. Rejects when the sealed file cannot be begun. */
  begin(
    files: { readonly plain: string; readonly sealed: string },
    sealTo: readonly string[],
  ): Promise<{
    /** Seals the rest and removes the plain file; resolves with milliseconds of sound. */
    finish(): Promise<number>;
  }>;
}
