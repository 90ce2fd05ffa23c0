import {
  acceptSwap,
  endOverride,
  feedConflicts,
  isInForce,
  makeOverride,
  type OverrideDecision,
  type OverrideRequest,
  type PersonId,
  type ShiftOverride,
} from '../../core/oncall/index.ts';
import { instant } from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, Refusal, type Report, table } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { instantFrom, siteConfig } from '../site.ts';
import { note } from '../site-time.ts';
import { whoTypes } from '../who-types.ts';
import { changeOverrides, type Situation } from './change-overrides.ts';
import { placeOf, shiftAround, spanOf, zoneOf } from './override-place.ts';
import { asJson, stateOf, what, when } from './override-words.ts';

interface SpanOptions extends CommonOptions {
  readonly from?: string;
  readonly until?: string;
  readonly reason: string;
  readonly by?: string;
}

/** `wardline oncall override …`: rows on top of the rules, made by hand. */
export function overrideCommands(oncall: Group, answer: Commands['answer']): void {
  const override = oncall.group('override', 'change who is on call for a while');
  const spanned = (nameAndArgs: string, description: string) =>
    override(nameAndArgs)
      .description(description)
      .option('--from <time>', 'from when, as in oncall show --at (default: now)')
      .option('--until <time>', 'until when (default: the end of the shift that --from falls into)')
      .requiredOption('--reason <text>', 'why; everybody who looks at the roster reads it')
      .option('--by <name>', 'who decided, as people know them (default: who types)');
  const make = (
    kind: 'add' | 'remove' | 'replace' | 'take',
    people: (args: readonly string[]) => Pick<OverrideRequest, 'in' | 'out'>,
  ) =>
    answer(async (...given: unknown[]) => {
      const options = given.at(-1) as SpanOptions;
      const [service, tier, ...names] = given.slice(0, -1) as string[];
      return changeOverrides(options, ({ roster, now }) => {
        const place = placeOf(roster, service!, tier!);
        const span = spanOf(options, place, roster, now);
        const { author, reason } = signed(options);
        return makeOverride({ kind, ...place, span, ...people(names), author, reason }, { roster, now });
      });
    });
  const id = (name: string | undefined) => name as PersonId;

  spanned('add <service> <tier> <person>', 'somebody is on call as well').action(
    make('add', ([person]) => ({ in: id(person), out: null })),
  );
  spanned('remove <service> <tier> <person>', 'somebody is not on call; whoever the rules name next is').action(
    make('remove', ([person]) => ({ in: null, out: id(person) })),
  );
  spanned('replace <service> <tier> <person> <other>', 'the other is on call wherever the person would be').action(
    make('replace', ([person, other]) => ({ in: id(other), out: id(person) })),
  );
  spanned('take <service> <tier> <person>', 'take the shift, whosever it is').action(
    make('take', ([person]) => ({ in: id(person), out: null })),
  );
  override('swap <service> <tier> <person> <other>')
    .description('propose that two people swap two shifts; it counts when it is accepted')
    .requiredOption('--shift <time>', 'a time in the shift of the person')
    .requiredOption('--for <time>', 'a time in the shift of the other')
    .requiredOption('--reason <text>', 'why; everybody who looks at the roster reads it')
    .option('--by <name>', 'who proposes it, as people know them (default: who types)')
    .action(
      answer(
        (
          service: string,
          tier: string,
          person: string,
          other: string,
          options: SpanOptions & { shift: string; for: string },
        ) =>
          changeOverrides(options, ({ roster, now }) => {
            const place = placeOf(roster, service, tier);
            const shift = (option: '--shift' | '--for', text: string) =>
              shiftAround(roster, place, instantFrom(text, zoneOf(roster, place), note, option));
            const { author, reason } = signed(options);
            const spans = { span: shift('--shift', options.shift), other: shift('--for', options.for) };
            return makeOverride(
              { kind: 'swap', ...place, ...spans, out: id(person), in: id(other), author, reason },
              { roster, now },
            );
          }),
      ),
    );
  const byNumber = (
    nameAndArgs: string,
    description: string,
    decide: (number: number, by: string, situation: Situation) => OverrideDecision,
  ) =>
    override(nameAndArgs)
      .description(description)
      .option('--by <name>', 'who decided, as people know them (default: who types)')
      .action(
        answer((number: string, options: SpanOptions) =>
          changeOverrides(options, (situation) => decide(numberFrom(number), signed(options).author, situation)),
        ),
      );
  byNumber('accept <number>', 'accept a swap; from now on it counts', acceptSwap);
  byNumber('undo <number>', 'undo an override, or decline a swap, from now on', endOverride);

  override('list')
    .description('overrides that count now or later, and swaps that wait')
    .option('--all', 'also those that are over, undone or declined')
    .action(answer(listOverrides));
}

function signed({ by, reason }: SpanOptions): { author: string; reason: string } {
  return { author: by ?? whoTypes(), reason };
}

function numberFrom(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Refusal(`${text} is no number of an override: override list shows them`, 2);
  return Number(text);
}

async function listOverrides(options: CommonOptions & { all?: boolean }): Promise<Report> {
  const config = siteConfig(options);
  const now = instant(Date.now());
  const { roster } = await siteDocuments(config, now);
  const rows = roster.overrides.filter((row) => {
    return (
      options.all === true || (row.to > now && (isInForce(row) || row.acceptedAt === null) && row.endedAt === null)
    );
  });
  const conflicts = feedConflicts(roster, now);
  const state = (row: ShiftOverride) => {
    const conflict = conflicts.find(({ override }) => override.id === row.id);
    return conflict === undefined ? stateOf(row) : `${stateOf(row)}, not in feed ${conflict.feed}`;
  };
  const cells = rows.map((row) => [
    String(row.id),
    roster.service(row.service)?.name ?? row.service,
    row.tier,
    what(row, roster),
    when(row, roster),
    state(row),
    `${row.author}: ${row.reason}`,
  ]);
  const text =
    rows.length === 0 ? ['No overrides.'] : table(['NO', 'SERVICE', 'TIER', 'WHAT', 'WHEN', 'STATE', 'BY'], cells);
  return done(text, { overrides: rows.map(asJson) });
}
