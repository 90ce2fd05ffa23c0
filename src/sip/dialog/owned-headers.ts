/** Headers that we write ourselves, whatever an app gives us: into a request, and into a response. */
export const requestOwned: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'content-length',
]);

export const responseOwned: ReadonlySet<string> = new Set([
  'via',
  'route',
  'record-route',
  'from',
  'to',
  'call-id',
  'cseq',
  'content-length',
  'rseq',
]);
