/** Upper bounds for everything that arrives from the network. Sizes in bytes unless the name says otherwise. */
export const limits = {
  messageBytes: 65_535,
  headerCount: 200,
  headerChars: 8_192,
  uriChars: 1_024,
  sdpBytes: 16_384,
  /** RFC 3261 8.1.1.5: below 2^31. We let senders go to 2^32 - 1, as RFC 4475 3.1.2.4 does. */
  cseqMax: 4_294_967_295,
} as const;
