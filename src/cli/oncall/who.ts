import { type ClinicalService, type DutyTier, dutyTiers, type OnCallAnswer } from '../../core/oncall/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, no, table } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { instantFrom, siteConfig } from '../site.ts';
import { showTime } from '../site-time.ts';
import { rosterAt } from './roster-at.ts';

interface Row {
  readonly service: ClinicalService;
  readonly tier: DutyTier;
  readonly answer: OnCallAnswer | null;
}

/** `wardline oncall who`: everybody who is on call, or was. */
export function whoCommand(oncall: Group, answer: Commands['answer']): void {
  oncall('who')
    .description('everybody who is on call at a time; in the past, by the roster that was in force then')
    .option('--at <time>', 'when: 2026-11-23T08:00 at the site, or with an offset; any form of ISO 8601 (default: now)')
    .option('--of <name>', 'only a service, a specialty, a unit that is looked after, or a person')
    .action(
      answer(async (options: CommonOptions & { at?: string; of?: string }) => {
        const config = siteConfig(options);
        const now = instant(Date.now());
        const at =
          options.at === undefined ? now : instantFrom(options.at, (await siteDocuments(config, now)).roster.zone);
        const { roster, until: replaced } = await rosterAt(config, at, now);
        const { of } = options;
        const rows = roster.services().flatMap((service) =>
          dutyTiers.flatMap((tier): Row[] => {
            const result = roster.whoIsOnCall(service.id, tier, at);
            const answers: readonly OnCallAnswer[] =
              result.kind === 'onCall' ? [result.answer, ...(result.also ?? [])] : [];
            if (answers.length === 0 && service.tiers[tier] === undefined) return [];
            const isOf = [service.id, service.specialty, ...(service.units ?? [])].some((name) => name === of);
            const wanted = answers.filter(({ personId }) => of === undefined || isOf || personId === of);
            if (answers.length === 0 && (of === undefined || isOf)) return [{ service, tier, answer: null }];
            return wanted.map((one) => ({ service, tier, answer: one }));
          }),
        );
        const cells = rows.map(({ service, tier, answer: one }) => {
          if (one === null) return [service.name, tier, 'NOBODY', '', '', '', ''];
          const { person, until, because } = one;
          const end = replaced !== null && replaced < until ? replaced : until;
          const says = end >= roster.window.to ? 'no end' : showTime(end, service.zone);
          return [service.name, tier, person.name, person.desk ?? '', person.mobile ?? '', says, because];
        });
        const json = {
          at: new Date(at).toISOString(),
          roster: roster.version,
          onCall: rows.map(({ service, tier, answer: one }) => ({
            service: service.id,
            tier,
            person: one?.personId ?? null,
            because: one?.because ?? null,
          })),
        };
        if (rows.length === 0) return no([`Nobody is on call for ${of}.`], json);
        const head = `On call at ${showTime(at, roster.zone)} (${roster.zone}):`;
        return done([head, ...table(['SERVICE', 'TIER', 'WHO', 'DESK', 'MOBILE', 'UNTIL', 'BECAUSE'], cells)], json);
      }),
    );
}
