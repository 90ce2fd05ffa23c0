import { namesExtension } from '../message/extensions.ts';
import { Headers } from '../message/headers.ts';
import type { Vantage } from '../transport/flow.ts';
import type { IncomingRequest } from './incoming-request.ts';
import { responseOwned } from './owned-headers.ts';
import { termsOfAnswer, writeTerms } from './session-timer.ts';

const answersWithContact: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);

/** What a response of ours carries beyond what RFC 3261 8.2.6.2 copies. `given`: what whoever answers wants in it. */
export function responseHeaders(
  { request, transaction }: Pick<IncomingRequest, 'request' | 'transaction'>,
  answer: {
    readonly status: number;
    /** Whether it makes a dialog. */
    readonly isCreating: boolean;
    readonly given: Headers | undefined;
    readonly contactFor: (flow: Vantage) => string;
    readonly hasSessionTimers: boolean;
  },
): Headers {
  const { status, isCreating, given } = answer;
  const headers = new Headers();
  const isUseful = status > 100 && status < 300;
  if (isUseful && isCreating) headers.copy('Record-Route', request.headers);
  const hasContact = given?.has('Contact') === true;
  if (isUseful && !hasContact && answersWithContact.has(request.method)) {
    headers.add('Contact', answer.contactFor(transaction.flow));
  }
  given?.forEach((name, value, key) => {
    if (!responseOwned.has(key)) headers.add(name, value);
  });
  const isRefresh = request.method === 'INVITE' || request.method === 'UPDATE';
  const terms = answer.hasSessionTimers && isRefresh && isUseful ? termsOfAnswer(request, given) : undefined;
  if (terms !== undefined && status >= 200) writeTerms(headers, terms);
  const mustSay100rel = request.method === 'INVITE' && status > 100 && status < 200;
  if (mustSay100rel && namesExtension(request.headers, 'Require', '100rel')) {
    if (!namesExtension(headers, 'Require', '100rel')) headers.add('Require', '100rel');
  }
  return headers;
}
