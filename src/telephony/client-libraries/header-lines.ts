/**
 * drachtio-srf 5.0.29 keeps one value per header name and joins more with commas, which RFC 3261 7.3.1 forbids for
 * challenges. The control protocol is text, so a value may carry the start of the next line of the same header.
 * Only for values that we made ourselves.
 */
export function headerLines(name: string, values: readonly string[]): string {
  return values.join(`\r\n${name}: `);
}
