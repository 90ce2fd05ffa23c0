/** All conferences, and the application that puts a leg into one: `conference name[@profile][+pin][+flags{a|b}]`. */
import { randomUUID } from 'node:crypto';
import { ConferenceMedia } from '../../media/conference-media.ts';
import type { MediaWorker } from '../../media/media-worker.ts';
import type { Application, Channel } from '../channel.ts';
import type { EventBus } from '../events.ts';
import { NO_RESPONSE } from '../applications/application.ts';
import { Conference } from './conference.ts';
import { Member } from './member.ts';

export interface ConferencesOptions {
  readonly bus: EventBus;
  /** Where the next conference is mixed. */
  readonly pickWorker: () => MediaWorker;
  readonly maxConferences: number;
  readonly nowMs?: () => number;
}

interface Wish {
  readonly name: string;
  readonly profile: string;
  readonly pin: string;
  readonly flags: ReadonlySet<string>;
}

export class Conferences {
  readonly #options: ConferencesOptions;
  readonly #open = new Map<string, Conference>();
  readonly #whereabouts = new Map<Member, Conference>();
  #nextMember = 1;

  constructor(options: ConferencesOptions) {
    this.#options = options;
  }

  get all(): readonly Conference[] {
    return [...this.#open.values()];
  }

  find(name: string): Conference | undefined {
    return this.#open.get(name);
  }

  readonly application: Application = async ({ channel, arguments: args, signal }) => {
    const wish = readWish(args);
    if (wish === undefined) return '-ERR conference name[@profile][+pin][+flags{a|b}]';
    if (signal.aborted) return NO_RESPONSE;
    const conference = this.#openFor(wish);
    if (typeof conference === 'string') return `-ERR ${conference}`;
    const refusal = refusalOf(conference, wish);
    if (refusal !== undefined) return `-ERR ${refusal}`;
    return this.#stay(conference, channel, wish.flags, signal);
  };

  /** The member goes on in another conference, which is opened if it must be. A string is why not. */
  move(member: Member, name: string): Conference | string {
    const from = this.#whereabouts.get(member);
    if (!NAME.test(name)) return `conference ${name} cannot be: a name has 1 to 128 characters without blanks, @ and +`;
    // The last one who leaves ends it: nobody would be left where he is sent.
    if (from?.name === name) return from;
    const to = this.#openFor({ name, profile: from?.profile ?? 'default', pin: '', flags: new Set() });
    if (typeof to === 'string') return to;
    from?.leave(member);
    this.#whereabouts.set(member, to);
    to.join(member);
    return to;
  }

  /** Everybody is let go. */
  close(): void {
    for (const conference of this.all) conference.end();
  }

  #stay(conference: Conference, channel: Channel, flags: ReadonlySet<string>, signal: AbortSignal): Promise<string> {
    return new Promise((resolve) => {
      const member = new Member({
        id: this.#nextMember++,
        channel,
        flags,
        joinedAtMs: this.#nowMs(),
        left: () => {
          signal.removeEventListener('abort', away);
          unlisten();
          this.#whereabouts.delete(member);
          resolve(NO_RESPONSE);
        },
      });
      const away = () => {
        this.#whereabouts.get(member)?.leave(member);
        member.left();
      };
      const unlisten = channel.onDigit((digit) =>
        this.#whereabouts.get(member)?.publishOf('dtmf', member, { 'DTMF-Key': digit, Data: '' }),
      );
      signal.addEventListener('abort', away, { once: true });
      this.#whereabouts.set(member, conference);
      conference.join(member);
    });
  }

  #openFor({ name, profile, pin }: Wish): Conference | string {
    const found = this.#open.get(name);
    if (found !== undefined) return found;
    if (this.#open.size >= this.#options.maxConferences) return 'too many conferences';
    // Not the name: one that ends while the next of its name begins would take that one's sound along.
    const uuid = randomUUID();
    const media = new ConferenceMedia(this.#options.pickWorker(), `conference ${uuid}`, {
      talking: (member, isTalking, energy) => conference.talking(member, isTalking, energy),
      failed: () => conference.end(),
    });
    const conference = new Conference({
      name,
      profile,
      uuid,
      bus: this.#options.bus,
      media,
      onEnded: () => this.#open.delete(name),
      nowMs: () => this.#nowMs(),
    });
    conference.pin = pin;
    this.#open.set(name, conference);
    return conference;
  }

  #nowMs(): number {
    return (this.#options.nowMs ?? (() => performance.now()))();
  }
}

function refusalOf(conference: Conference, { pin }: Wish): string | undefined {
  if (conference.isLocked) return `conference ${conference.name} is locked`;
  if (conference.pin !== '' && pin !== conference.pin) return 'the pin is wrong';
  const { maxMembers } = conference;
  return maxMembers > 0 && conference.members.size >= maxMembers ? `conference ${conference.name} is full` : undefined;
}

const NAME = /^[^\s@+]{1,128}$/;

function readWish(args: string): Wish | undefined {
  const text = args.trim();
  const flags = /\+flags\{([^}]{0,500})\}/.exec(text);
  const [, name, profile = 'default', pin = ''] =
    /^([^\s@+]{1,128})(?:@([^\s@+]{1,64}))?(?:\+([^\s+]{0,32}))?\+*$/.exec(text.replace(flags?.[0] ?? '', '')) ?? [];
  if (name === undefined) return undefined;
  return { name, profile, pin, flags: new Set((flags?.[1] ?? '').split('|').filter((flag) => flag !== '')) };
}
