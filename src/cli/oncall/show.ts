import {
  type DutyTier,
  dutyTiers,
  type OnCallAnswer,
  type OnCallResult,
  type ServiceId,
} from '../../core/oncall/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, no, Refusal, table } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { siteConfig } from '../site.ts';
import { instantFrom, showTime } from '../site-time.ts';
import { rosterAt } from './roster-at.ts';

export function showCommand(oncall: Group, answer: Commands['answer']): void {
  oncall('show <service>')
    .description('who is on call for a service, until when, and by which rule')
    .option('--at <time>', 'when: 2026-11-23T08:00 at the site, or with an offset; any form of ISO 8601 (default: now)')
    .action(
      answer(async (id: string, options: CommonOptions & { at?: string }) => {
        const config = siteConfig(options);
        const now = instant(Date.now());
        const today = await siteDocuments(config, now);
        const service = today.roster.service(id as ServiceId);
        if (service === undefined) {
          const known = today.roster.services().map((known) => known.id);
          throw new Refusal(`there is no service ${id}: there are ${known.join(', ')}`);
        }
        const at = instantFrom(options.at, service.zone);
        const { roster } = options.at === undefined ? today : await rosterAt(config, at, now);
        const answers = dutyTiers
          .map((tier) => ({ tier, result: roster.whoIsOnCall(service.id, tier, at) }))
          .filter(({ tier, result }) => service.tiers[tier] !== undefined || result.kind === 'onCall')
          .flatMap(({ tier, result }): { tier: DutyTier; answer: OnCallAnswer | null; because: string }[] => {
            if (result.kind !== 'onCall') return [{ tier, answer: null, because: whyNobody(result) }];
            return [result.answer, ...(result.also ?? [])].map((answer) => {
              return { tier, answer, because: answer.because };
            });
          });
        const rows = answers.map(({ tier, answer, because }) => {
          if (answer === null) return [tier, 'NOBODY', '', '', '', because];
          const { person, until } = answer;
          const end = until >= roster.window.to ? 'no end' : showTime(until, service.zone);
          return [tier, person.name, person.desk ?? '', person.mobile ?? '', end, because];
        });
        const text = [
          `${service.name} at ${showTime(at, service.zone)} (${service.zone}):`,
          ...table(['TIER', 'WHO', 'DESK', 'MOBILE', 'UNTIL', 'BECAUSE'], rows),
        ];
        const json = {
          service: service.id,
          at: new Date(at).toISOString(),
          onCall: answers.map(({ tier, answer, because }) => {
            if (answer === null) return { tier, person: null, because, since: null, until: null };
            const { person, since, until } = answer;
            const { id, name, desk = null, mobile = null } = person;
            // The roster is laid out for a while only; what reaches to its edge has no beginning or no end.
            return {
              tier,
              person: { id, name, desk, mobile },
              because,
              since: since <= roster.window.from ? null : new Date(since).toISOString(),
              until: until >= roster.window.to ? null : new Date(until).toISOString(),
            };
          }),
        };
        return answers.some(({ answer }) => answer !== null) ? done(text, json) : no(text, json);
      }),
    );
}

function whyNobody(result: Exclude<OnCallResult, { kind: 'onCall' }>): string {
  return result.kind === 'nobodyOnCall' ? result.because : 'the roster does not reach to this date';
}
