/** Upper bounds for everything that arrives from the network. Sizes in bytes unless the name says otherwise. */
export interface MessageLimits {
  /** Above it: 513. A datagram cannot carry more than 65,507. */
  readonly messageBytes: number;
  /** Above it: 400. */
  readonly headerCount: number;
  /** Of one header field with its name. Above it: 400. */
  readonly headerChars: number;
  /** Of the Request-URI. Above it: 414. */
  readonly uriChars: number;
  /** Above it: 413. */
  readonly sdpBytes: number;
}

export const defaultMessageLimits: MessageLimits = {
  messageBytes: 65_535,
  headerCount: 200,
  headerChars: 8_192,
  uriChars: 1_024,
  sdpBytes: 16_384,
};

/** RFC 3261 8.1.1.5: below 2^31. We let senders go to 2^32 - 1, as RFC 4475 3.1.2.4 does. */
export const cseqMax = 4_294_967_295;

/** No URI of any header is looked at beyond this, whatever the configuration says. */
export const longestUriChars = 8_192;
