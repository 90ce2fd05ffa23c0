/** Call ids are read out over the telephone: "3ga4 abb6 k2mn" and "3ga4abb6k2mn" are 3GA4-ABB6-K2MN. */
export function asWritten(callId: string): string {
  const plain = callId.toUpperCase().replaceAll(/[\s-]/g, '');
  // Eight letters had the calls of earlier releases.
  return /^([0-9A-Z]{4}){2,3}$/.test(plain) ? plain.replaceAll(/(?<=.)(?=(.{4})+$)/g, '-') : callId;
}

/** As `asWritten` gives it. */
export function isCallId(text: string): boolean {
  return /^[0-9A-Z]{4}(-[0-9A-Z]{4}){1,2}$/.test(text);
}
