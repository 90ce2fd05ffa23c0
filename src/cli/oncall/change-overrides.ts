import type { Fact } from '../../core/audit/index.ts';
import type { CompiledRoster, OverrideChange, OverrideDecision } from '../../core/oncall/index.ts';
import { type Instant, instant } from '../../core/time/index.ts';
import type { Store } from '../../storage/index.ts';
import { attestChange } from '../attest-once.ts';
import type { CommonOptions } from '../command-line.ts';
import { done, Refusal, type Report } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { siteConfig, siteStore } from '../site.ts';
import { whoTypes } from '../who-types.ts';
import { asJson, doublesAfter, gapsAfter, told } from './override-words.ts';

/** What a change is decided on. */
export interface Situation {
  readonly roster: CompiledRoster;
  readonly now: Instant;
}

/** On record and in force in one commit: what cannot be put on record does not change who is on call, and the other way round. */
export async function changeOverrides(
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
    const isApplied = await attestChange({ config, store, secrets }, factsOf(change), {
      isCurrent: () => store.overrides.revision() === revision,
      apply: () => store.overrides.apply(change),
    });
    if (!isApplied) {
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
  const counts = add[0] ?? accept[0];
  const waits = add.find(({ acceptedAt }) => acceptedAt === null);
  const hint = waits
    ? [`It counts when it is accepted: wardline oncall override accept ${waits.swap}`]
    : counts
      ? [`To undo it: wardline oncall override undo ${counts.id}`]
      : [];
  return done(
    [
      ...rows.map((row) => told(row, roster)),
      ...rows.flatMap((row) => [...gapsAfter(row, roster), ...doublesAfter(row, roster)]),
      ...hint,
    ],
    {
      overrides: rows.map(asJson),
    },
  );
}
