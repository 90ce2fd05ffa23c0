import { parseDigestAnswers } from '../../src/telephony/auth/digest.ts';

/** What a phone says about its password, as the registrar reads it. */
export function digestAnswers(header: string): void {
  for (const answer of parseDigestAnswers(header)) {
    for (const value of Object.values(answer)) {
      if (typeof value === 'string' && /[\r\n]/.test(value) && !/[\r\n]/.test(header))
        throw new Error('a line end out of nowhere');
    }
  }
}
