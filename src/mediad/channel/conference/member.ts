/** One leg in a conference. */
import type { EventHeaders } from '../../event-socket/framing.ts';
import type { SeatSettings } from '../../media/messages.ts';
import type { Channel } from '../channel.ts';

/** FreeSWITCH's levels: what the profile has unless it is changed. */
const ENERGY_LEVEL = 100;
/** By how much FreeSWITCH's volume levels change a sample: 0 not at all, up to four steps each way. */
const LOUDER = [1, 1.3, 2.3, 3.3, 4.3];
const SOFTER = [1, 0.8, 0.6, 0.4, 0.2];
const MAX_VOLUME = 4;
const MAX_ENERGY = 1800;

export class Member {
  readonly id: number;
  readonly channel: Channel;
  readonly flags: ReadonlySet<string>;
  readonly joinedAtMs: number;
  /** The application of its channel ends. */
  readonly left: () => void;
  canSpeak: boolean;
  canHear: boolean;
  isOnHold = false;
  isTalking = false;
  isDetectingMute: boolean;
  energyLevel = ENERGY_LEVEL;
  currentEnergy = 0;
  volumeIn = 0;
  volumeOut = 0;

  constructor(options: {
    readonly id: number;
    readonly channel: Channel;
    readonly flags: ReadonlySet<string>;
    readonly joinedAtMs: number;
    readonly left: () => void;
  }) {
    this.id = options.id;
    this.channel = options.channel;
    this.flags = options.flags;
    this.joinedAtMs = options.joinedAtMs;
    this.left = options.left;
    this.canSpeak = !this.flags.has('mute') && !this.flags.has('ghost');
    this.canHear = !this.flags.has('deaf');
    this.isDetectingMute = this.flags.has('mute-detect');
  }

  get isModerator(): boolean {
    return this.flags.has('moderator');
  }

  get isGhost(): boolean {
    return this.flags.has('ghost');
  }

  get seat(): SeatSettings {
    const { isOnHold } = this;
    return {
      canSpeak: this.canSpeak && !isOnHold,
      canHear: this.canHear && !isOnHold,
      gainIn: gain(this.volumeIn),
      gainOut: gain(this.volumeOut),
      // A gate against noise, for whom somebody has shut it: a soft voice is heard until then.
      energyLevel: this.energyLevel > ENERGY_LEVEL ? this.energyLevel : 0,
      talkLevel: Math.max(1, this.energyLevel),
    };
  }

  setEnergy(level: number): void {
    this.energyLevel = Math.min(MAX_ENERGY, Math.max(0, level));
  }

  setVolume(way: 'in' | 'out', level: number): void {
    const bounded = Math.min(MAX_VOLUME, Math.max(-MAX_VOLUME, level));
    if (way === 'in') this.volumeIn = bounded;
    else this.volumeOut = bounded;
  }

  /** hear|speak|talking|…, as `conference … list` writes it. */
  words(isFloor: boolean): string[] {
    const words: [string, boolean][] = [
      ['hear', this.canHear && !this.isOnHold],
      ['speak', this.canSpeak && !this.isOnHold],
      ['talking', this.isTalking && !this.isOnHold],
      ['hold', this.isOnHold],
      ['floor', isFloor],
      ['moderator', this.isModerator],
      ['ghost', this.isGhost],
    ];
    return words.filter(([, isTrue]) => isTrue).map(([word]) => word);
  }

  headers(): EventHeaders {
    return {
      ...this.channel.profileHeaders(),
      Video: 'false',
      Hear: String(this.canHear),
      See: 'true',
      Speak: String(this.canSpeak),
      Talking: String(this.isTalking),
      'Mute-Detect': String(this.isDetectingMute),
      Hold: String(this.isOnHold),
      'Member-ID': String(this.id),
      'Member-Type': this.isModerator ? 'moderator' : 'member',
      'Member-Ghost': String(this.isGhost),
      'Energy-Level': String(this.energyLevel),
      'Current-Energy': String(this.currentEnergy),
    };
  }
}

function gain(level: number): number {
  return (level < 0 ? SOFTER[-level] : LOUDER[level]) ?? 1;
}
