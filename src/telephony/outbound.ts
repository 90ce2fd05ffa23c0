import type { OfferedAs, Party } from '../core/call/index.ts';
import type { HouseCalls } from '../engine/ports.ts';
import { Call } from './call.ts';
import { CalledParty } from './called-party.ts';
import { LegNames } from './leg-names.ts';
import { hopsLeft } from './places.ts';
import type { Shell } from './shell.ts';

/** Calls that the house makes by itself. */
export class Outbound implements HouseCalls {
  readonly #shell: Shell;
  readonly #calls = new Set<Call>();

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  get liveCalls(): number {
    return this.#calls.size;
  }

  prepare(party: Party, offeredAs: OfferedAs): Call {
    const { media, signalling } = this.#shell;
    const names = new LegNames(this.#shell.random);
    const begun = {
      media: media.forCall(signalling.forTrunk(), names),
      names,
      hopsLeft: hopsLeft(),
      side: (events: ConstructorParameters<typeof CalledParty>[3]) =>
        new CalledParty(this.#shell, begun.media, { party, offeredAs, names }, events),
    };
    const call: Call = new Call(this.#shell, begun, () => void this.#calls.delete(call));
    this.#calls.add(call);
    return call;
  }

  close(): void {
    for (const call of this.#calls) call.close();
  }
}
