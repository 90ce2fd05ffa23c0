import {
  acceptSwap,
  type CompiledRoster,
  didYouMean,
  dutyTiers,
  endOverride,
  feedConflicts,
  isInForce,
  makeOverride,
  type OverrideChange,
  type OverrideDecision,
  type OverrideRequest,
  type PersonId,
  type ServiceId,
  type ShiftOverride,
} from '../../core/oncall/index.ts';
import type { Fact } from '../../core/audit/index.ts';
import { type Instant, instant, type Span, without } from '../../core/time/index.ts';
import type { Store } from '../../storage/index.ts';
import { attestOnce } from '../attest-once.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, Refusal, type Report, table } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { instantFrom, siteConfig, siteStore } from '../site.ts';
import { note, showTime } from '../site-time.ts';
import { whoTypes } from '../who-types.ts';

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

interface Situation {
  readonly roster: CompiledRoster;
  readonly now: Instant;
}

type Place = Pick<OverrideRequest, 'service' | 'tier'>;

function placeOf(roster: CompiledRoster, service: string, tier: string): Place {
  const known = roster.services().map(({ id }) => id as string);
  if (!known.includes(service)) {
    const meant = didYouMean(service, known);
    throw new Refusal(`there is no service ${service}${meant === null ? '' : `; did you mean ${meant}?`}`);
  }
  const found = dutyTiers.find((one) => one === tier);
  if (found === undefined) throw new Refusal(`there is no tier ${tier}: there are ${dutyTiers.join(', ')}`);
  return { service: service as ServiceId, tier: found };
}

function zoneOf(roster: CompiledRoster, { service }: Pick<Place, 'service'>): string {
  return roster.service(service)?.zone ?? roster.zone;
}

function spanOf(options: SpanOptions, place: Place, roster: CompiledRoster, now: Instant): Span {
  const zoneName = zoneOf(roster, place);
  const from = options.from === undefined ? now : instantFrom(options.from, zoneName, note, '--from');
  if (options.until !== undefined) return { from, to: instantFrom(options.until, zoneName, note, '--until') };
  return { from, to: shiftAround(roster, place, from).to };
}

function shiftAround(roster: CompiledRoster, { service, tier }: Place, at: Instant): Span {
  const result = roster.whoIsOnCall(service, tier, at);
  if (result.kind !== 'onCall') {
    throw new Refusal(`nobody is ${tier} of ${service} at ${showTime(at, zoneOf(roster, { service }))}: give --until`);
  }
  const { since, until } = result.answer;
  if (until >= roster.window.to) throw new Refusal(`the ${tier} of ${service} has no end then: give --until`);
  return { from: since, to: until };
}

function signed({ by, reason }: SpanOptions): { author: string; reason: string } {
  return { author: by ?? whoTypes(), reason };
}

function numberFrom(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Refusal(`${text} is no number of an override: override list shows them`, 2);
  return Number(text);
}

/** Attest first, then act: what cannot be put on record does not change who is on call. */
async function changeOverrides(
  options: CommonOptions,
  decide: (situation: Situation) => OverrideDecision,
): Promise<Report> {
  const config = siteConfig(options);
  const now = instant(Date.now());
  const { roster: ruled } = await siteDocuments(config, now);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const revision = store.overrides.revision();
    const roster = ruled.withOverrides(store.overrides.list());
    const decision = decide({ roster, now });
    if (decision.kind === 'refused') throw new Refusal(`${decision.because} (${decision.remedy})`);
    const { change } = decision;
    for (const fact of factsOf(change)) await attestOnce(config, store, secrets, fact);
    if (!store.overrides.apply(change, revision)) {
      for (const { id } of change.add) {
        const because = 'not kept: somebody else changed the roster at the same moment';
        await attestOnce(config, store, secrets, {
          fact: 'overrideEnded',
          override: id,
          author: 'system',
          because,
          by: whoTypes(),
        });
      }
      throw new Refusal('somebody else changed the roster at the same moment: look at it, and try again');
    }
    return report(change, roster.withOverrides(store.overrides.list()), store);
  } finally {
    await store.close();
  }
}

function factsOf({ add, accept, end }: OverrideChange): readonly Fact[] {
  const by = whoTypes();
  return [
    ...end.map(({ id, by: author, for: other }): Fact => {
      const because = other === null ? 'undone or declined' : `override ${other} takes its place`;
      return { fact: 'overrideEnded', override: id, author, because, by };
    }),
    ...accept.map(({ id, by: author }): Fact => ({ fact: 'swapAccepted', override: id, author, by })),
    ...add.map((row): Fact => {
      const { id, kind, service, tier, author, reason } = row;
      const [from, until] = [row.from, row.to].map((at) => new Date(at).toISOString());
      return {
        fact: 'overrideMade',
        override: id,
        kind,
        service,
        tier,
        from: from!,
        until: until!,
        out: row.out ?? '',
        in: row.in ?? '',
        author,
        reason,
        by,
      };
    }),
  ];
}

function report({ add, accept, end }: OverrideChange, roster: CompiledRoster, store: Store): Report {
  const all = store.overrides.list();
  const touched = new Set([...add, ...accept, ...end].map(({ id }) => id));
  const rows = all.filter(({ id }) => touched.has(id));
  const waits = add.find(({ acceptedAt }) => acceptedAt === null);
  const hint = waits
    ? [`It counts when it is accepted: wardline oncall override accept ${waits.swap}`]
    : add[0]
      ? [`To undo it: wardline oncall override undo ${add[0].id}`]
      : [];
  return done([...rows.map((row) => told(row, roster)), ...rows.flatMap((row) => gapsAfter(row, roster)), ...hint], {
    overrides: rows.map(asJson),
  });
}

/** Said at once: whoever takes somebody off duty should know when that leaves nobody. */
function gapsAfter(row: ShiftOverride, roster: CompiledRoster): readonly string[] {
  const gaps = without([{ from: row.from, to: row.to }], roster.shifts(row.service, row.tier));
  return gaps.slice(0, 5).map(({ from, to }) => `NOBODY is ${row.tier} then: ${when({ ...row, from, to }, roster)}`);
}

/** "12: Dr Chen is on call for Dr Ames, primary of Cardiology, 2026-11-22 07:00 to …; R. Okafor: ill" */
function told(row: ShiftOverride, roster: CompiledRoster): string {
  return `${row.id}: ${what(row, roster)}, ${row.tier} of ${roster.service(row.service)?.name ?? row.service}, ${when(row, roster)}; ${row.author}: ${row.reason} [${stateOf(row)}]`;
}

function what({ kind, out, in: into }: ShiftOverride, roster: CompiledRoster): string {
  const name = (id: PersonId | null) => (id === null ? '' : (roster.person(id)?.name ?? id));
  switch (kind) {
    case 'add':
      return `${name(into)} is on call as well`;
    case 'remove':
      return `${name(out)} is not on call`;
    case 'take':
      return `${name(into)} is on call`;
    default:
      return `${name(into)} is on call for ${name(out)}`;
  }
}

function when({ service, from, to }: ShiftOverride, roster: CompiledRoster): string {
  const zoneName = zoneOf(roster, { service });
  return `${showTime(from, zoneName)} to ${showTime(to, zoneName)}`;
}

function stateOf(row: ShiftOverride): string {
  if (row.endedAt !== null) return row.acceptedAt === null ? `declined by ${row.endedBy}` : `ended by ${row.endedBy}`;
  return row.acceptedAt === null ? 'proposed' : 'in force';
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

function asJson(row: ShiftOverride) {
  const iso = (at: Instant | null) => (at === null ? null : new Date(at).toISOString());
  const { id, kind, service, tier, out, in: into, author, reason, swap } = row;
  return {
    id,
    kind,
    service,
    tier,
    from: iso(row.from),
    until: iso(row.to),
    out,
    in: into,
    author,
    reason,
    swap,
    madeAt: iso(row.madeAt),
    acceptedAt: iso(row.acceptedAt),
    acceptedBy: row.acceptedBy,
    endedAt: iso(row.endedAt),
    endedBy: row.endedBy,
  };
}
