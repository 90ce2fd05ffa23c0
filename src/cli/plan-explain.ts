import { explain } from '../core/audit/index.ts';
import { instant } from '../core/time/index.ts';
import { auditReader } from './audit-reader.ts';
import { type RevealOptions, withReveal } from './audit/reveal.ts';
import { asWritten } from './call-id.ts';
import { documentsOf, recordReveal, revealed } from './call.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { namesThen } from './names.ts';
import { done, Refusal, wrapped } from './report.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';

export function explainCommand(plan: ReturnType<Commands['group']>, answer: Commands['answer']): void {
  withReveal(plan('explain <call>'))
    .description('why a call went as it did: who was rung, who was not, and why')
    .action(
      answer(async (given: string, options: CommonOptions & RevealOptions) => {
        const callId = asWritten(given);
        const config = siteConfig(options);
        const isRevealing = options.reveal === true;
        const { store, secrets } = await siteStore(config, isRevealing ? 'guest' : 'reader');
        try {
          await recordReveal({ config, store, secrets }, options, `call ${callId}`);
          const records = await auditReader(config, store, secrets).ofCall(callId);
          if (records.length === 0) {
            throw new Refusal(`the audit knows no call ${callId}: "wardline call list" shows those that it knows`);
          }
          const entries = records.map(({ at, fact }) => ({ at: instant(at), fact }));
          const names = await namesThen(config, store, documentsOf(records));
          const clock = await siteClock(config, store);
          const lines = explain(entries, names, isRevealing ? revealed(records) : {});
          const head = `Call ${callId}, ${clock.show(entries[0]!.at)}`;
          return done([head, ...lines.flatMap(fitted), clock.note], { callId, lines });
        } finally {
          await store.close();
        }
      }),
    );
}

function fitted(line: string): readonly string[] {
  return wrapped(line, (/^ */.exec(line)?.[0].length ?? 0) + 2);
}
