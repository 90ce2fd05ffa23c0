/**
 * The same text as a string of its own. V8 keeps a piece of more than twelve letters as a slice, which keeps all of what it was cut
 * from: a nonce that is remembered would keep its INVITE, an address its whole frame.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
