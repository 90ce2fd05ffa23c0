import type { ClinicalService, DutyTier, EscalationChain, ServiceId } from '../oncall/index.ts';
import type { Span } from '../time/index.ts';
import { type DutyPiece, dutyPieces } from './pieces.ts';
import type { Terrain } from './terrain.ts';

export interface Tiers {
  readonly terrain: Terrain;
  /** Tiers are cut once, however many chains ask for them. */
  readonly pieces: Map<string, readonly DutyPiece[]>;
}

/** A stretch in which the same people hold all tiers of a chain. */
export interface ChainPiece extends Span {
  readonly holders: string;
}

export function* chainPieces(
  { terrain, pieces: known }: Tiers,
  service: ClinicalService,
  chain: EscalationChain,
  spans: readonly Span[],
): Generator<ChainPiece> {
  const tiers = tiersOf(service, chain).map((tier) => {
    const name = `${tier.service} ${tier.tier}`;
    const cut = known.get(name) ?? dutyPieces(terrain.roster, tier, terrain.span);
    known.set(name, cut);
    return { cut, next: 0 };
  });
  for (const span of spans) {
    for (const tier of tiers) tier.next = 0;
    for (let from = span.from; from < span.to; ) {
      let to = span.to;
      let holders = '';
      for (const tier of tiers) {
        while (tier.next < tier.cut.length - 1 && tier.cut[tier.next]!.to <= from) tier.next += 1;
        const piece = tier.cut[tier.next];
        if (piece === undefined) continue;
        if (piece.to > from && piece.to < to) to = piece.to;
        holders += `${piece.people.join('+')}|`;
      }
      yield { from, to, holders };
      from = to;
    }
  }
}

export interface TierOf {
  readonly service: ServiceId;
  readonly tier: DutyTier;
}

function tiersOf({ id }: ClinicalService, { steps }: EscalationChain): readonly TierOf[] {
  const tiers = new Map<string, TierOf>();
  for (const target of steps.flatMap(({ targets }) => targets)) {
    if (target.kind !== 'tier') continue;
    const { tier, service = id } = target;
    tiers.set(`${service} ${tier}`, { service, tier });
  }
  return [...tiers.values()];
}
