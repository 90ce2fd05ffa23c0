import { plusMs } from '../core/time/index.ts';
import type { Clock } from '../engine/ports.ts';
import { type NameAddr, parseNameAddrs, parseSipUri, sameUri } from './name-addr.ts';
import { ownText } from './own-text.ts';
import type { Bindings, ContactBinding, Log, PeerAddress } from './ports.ts';

/** The parts of a REGISTER that decide, as sent; '' for an absent header. */
export interface RegisterRequest {
  readonly extension: string;
  readonly contact: string;
  readonly expires: string;
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  /** Name of the signalling server that it came through. */
  readonly server: string;
  readonly source: PeerAddress;
}

export type RegisterAnswer =
  | { readonly kind: 'ok'; readonly bindings: readonly ContactBinding[] }
  /** 400 */
  | { readonly kind: 'badRequest'; readonly why: string }
  /** 423 with Min-Expires */
  | { readonly kind: 'tooBrief'; readonly minExpires: number }
  /** 500: an older REGISTER overtaken by a newer one (RFC 3261 10.3 step 7) */
  | { readonly kind: 'outOfOrder' };

interface Limits {
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly maxContacts: number;
}

interface Wanted {
  readonly uri: string;
  readonly q: number;
  readonly expires: number;
  readonly instance: string;
}

/** Who can be reached where: the location service of RFC 3261 10.3, in memory, written through to `Bindings`. */
export class Registrations {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #store: Bindings;
  readonly #log: Log;
  readonly #byExtension = new Map<string, readonly ContactBinding[]>();

  constructor(parts: { limits: Limits; clock: Clock; store: Bindings; log: Log }) {
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#store = parts.store;
    this.#log = parts.log;
  }

  /** Takes over what a former process knew; expired ones are removed from the store. */
  async load(): Promise<void> {
    const now = this.#clock.now();
    for (const binding of await this.#store.load()) {
      if (binding.expiresAt <= now) this.#remove(binding);
      else this.#byExtension.set(binding.extension, [...(this.#byExtension.get(binding.extension) ?? []), binding]);
    }
  }

  /** Current contacts in the order to ring them: q first, then the one heard from last. */
  of(extension: string): readonly ContactBinding[] {
    const now = this.#clock.now();
    return (this.#byExtension.get(extension) ?? [])
      .filter((binding) => binding.expiresAt > now)
      .sort((a, b) => b.q - a.q || b.registeredAt - a.registeredAt);
  }

  all(): readonly ContactBinding[] {
    return [...this.#byExtension.keys()].flatMap((extension) => this.of(extension));
  }

  isKnownDevice(extension: string, sourceIp: string): boolean {
    return this.of(extension).some((binding) => binding.source.ip === sourceIp);
  }

  /** All contacts of one REGISTER are taken or none (RFC 3261 10.3 step 7). */
  apply(request: RegisterRequest): RegisterAnswer {
    const current = this.of(request.extension);
    const isLate = current.some((b) => b.callId === request.callId && request.cseq <= b.cseq);
    if (request.contact.trim() === '') return this.#accept(request.extension, current);
    if (isLate) return { kind: 'outOfOrder' };
    if (request.contact.trim() === '*') {
      if (request.expires.trim() !== '0') return { kind: 'badRequest', why: 'Contact * needs Expires 0' };
      return this.#accept(request.extension, []);
    }
    const contacts = parseNameAddrs(request.contact);
    if (contacts === null) return { kind: 'badRequest', why: 'Contact cannot be read' };
    if (contacts.length > this.#limits.maxContacts) {
      return { kind: 'badRequest', why: `more than ${this.#limits.maxContacts} contacts` };
    }
    const wanted = contacts.map((contact) => this.#wanted(contact, request.expires));
    if (wanted.some((one) => one === null)) return { kind: 'badRequest', why: 'Contact is no SIP address' };
    const good = wanted.filter((one) => one !== null);
    if (good.some(({ expires }) => expires > 0 && expires < this.#limits.minExpires)) {
      return { kind: 'tooBrief', minExpires: this.#limits.minExpires };
    }
    return this.#accept(request.extension, this.#merge(request, current, good));
  }

  /** It has no phone any more, or another one. */
  forget(extension: string): void {
    this.#accept(extension, []);
  }

  #wanted(contact: NameAddr, header: string): Wanted | null {
    const uri = parseSipUri(contact.uri);
    if (uri === null || uri.scheme === 'tel' || contact.uri.length > 512) return null;
    // 3600 where neither the contact nor the request says (RFC 3261 10.2.1.1).
    const expires = seconds(contact.params.get('expires')) ?? seconds(header) ?? 3600;
    return {
      uri: contact.uri,
      q: thousandths(contact.params.get('q')),
      expires: Math.min(expires, this.#limits.maxExpires),
      instance: (contact.params.get('+sip.instance') ?? '').slice(0, 128),
    };
  }

  #merge(request: RegisterRequest, current: readonly ContactBinding[], wanted: readonly Wanted[]): ContactBinding[] {
    const now = this.#clock.now();
    // The same device under a new address replaces its old one: the old would ring nowhere until it expires.
    const kept = current.filter(
      (b) => !wanted.some((w) => sameUri(w.uri, b.uri) || (w.instance !== '' && w.instance === b.instance)),
    );
    const added = wanted
      .filter(({ expires }) => expires > 0)
      .map(({ uri, q, expires, instance }) => ({
        extension: request.extension,
        // Each a text of its own: kept as slices they would keep the whole REGISTER for an hour.
        uri: ownText(uri),
        q,
        instance: ownText(instance),
        expiresAt: plusMs(now, expires * 1000),
        registeredAt: now,
        callId: ownText(request.callId),
        cseq: request.cseq,
        source: request.source,
        userAgent: ownText(request.userAgent.slice(0, 128)),
        server: request.server,
      }));
    // Too many: the one silent for longest goes, so that a phone that restarts on a new port always gets in.
    const room = Math.max(0, this.#limits.maxContacts - added.length);
    return [...[...kept].sort((a, b) => b.registeredAt - a.registeredAt).slice(0, room), ...added];
  }

  #accept(extension: string, after: readonly ContactBinding[]): RegisterAnswer {
    // With those that have expired meanwhile: they leave the store too.
    const before = this.#byExtension.get(extension) ?? [];
    if (after.length === 0) this.#byExtension.delete(extension);
    else this.#byExtension.set(extension, after);
    for (const gone of before) if (!after.some(({ uri }) => uri === gone.uri)) this.#remove(gone);
    for (const binding of after) if (!before.includes(binding)) this.#save(binding);
    return { kind: 'ok', bindings: this.of(extension) };
  }

  #save(binding: ContactBinding): void {
    this.#store
      .save(binding)
      .catch((error: unknown) =>
        this.#log.error({ err: error, extension: binding.extension }, 'registration not stored'),
      );
  }

  #remove(binding: ContactBinding): void {
    this.#store
      .remove(binding.extension, binding.uri)
      .catch((error: unknown) =>
        this.#log.error({ err: error, extension: binding.extension }, 'registration not removed'),
      );
  }
}

/** `Contact` of a 200 to REGISTER, with the seconds left. */
export function contactHeader(bindings: readonly ContactBinding[], nowMs: number): string {
  return bindings
    .map((b) => {
      const instance = b.instance === '' ? '' : `;+sip.instance="${b.instance.replace(/[\\"]/g, '\\$&')}"`;
      const q = b.q === 1000 ? '' : `;q=${(b.q / 1000).toFixed(3)}`;
      return `<${b.uri}>${q}${instance};expires=${Math.max(1, Math.round((b.expiresAt - nowMs) / 1000))}`;
    })
    .join(', ');
}

/** undefined: absent or not a number, which counts as absent. */
function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

function thousandths(q: string | undefined): number {
  return q !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Math.round(Number(q) * 1000) : 1000;
}
