import { CALLER, type OfferedAs, type Party } from '../core/call/index.ts';
import type { CalledEvents, CallerSide } from './caller-side.ts';
import { Leg } from './leg.ts';
import type { LegNames } from './leg-names.ts';
import type { CallMedia } from './media.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { PhoneDialog } from './phone-dialog.ts';
import { hopsLeft } from './places.ts';
import type { Shell } from './shell.ts';

/** Somebody whom the house calls: a leg that is rung, and the caller of the call from its answer on. */
export class CalledParty implements CallerSide {
  readonly offer = '';
  readonly cipher = 'none';
  readonly #ringLeg: () => Leg;
  #leg: Leg | null = null;

  constructor(
    shell: Shell,
    media: CallMedia,
    called: { party: Party; offeredAs: OfferedAs; names: LegNames },
    events: CalledEvents,
  ) {
    const { party, offeredAs, names } = called;
    const order = { type: 'ringLeg', leg: CALLER, target: party.target, media: 'anchored', offeredAs } as const;
    this.#ringLeg = () =>
      new Leg(
        shell,
        media,
        order,
        { offer: '', cipher: 'none', hopsLeft: hopsLeft(), names },
        {
          ringing: (sipStatus) => events.ringing(sipStatus),
          answered: (facts) => events.answered(facts),
          failed: (result) => events.failed(result),
          ended: (by) => (by === 'remote' ? events.hungUp() : events.mediaLost()),
          moved: () => events.moved(),
          measured: (sound) => events.measured(sound),
          signallingLost: () => events.signallingLost(),
        },
      );
  }

  get endpoint(): MediaEndpoint | null {
    return this.#leg?.endpoint ?? null;
  }

  get isMoving(): boolean {
    return this.#leg?.isMoving ?? false;
  }

  get phone(): PhoneDialog | null {
    return this.#leg?.phone ?? null;
  }

  answer(): void {
    this.#leg ??= this.#ringLeg();
  }

  /** It is the house that calls: nobody waits for a ringing tone. */
  ring(): void {}

  refuse(): void {
    this.#leg?.standDown('callOver');
  }

  connectTo(_other: PhoneDialog, done: (error: Error | null) => void): void {
    done(new Error('whoever was called by the house talks through the media server'));
  }

  hangUp(): void {
    this.#leg?.standDown('callOver');
  }

  adopt(): boolean {
    return false;
  }

  close(): void {
    this.#leg?.close();
  }
}
