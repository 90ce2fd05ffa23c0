/** Events as the event socket knows them: a name and headers, all strings. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { EventHeaders } from '../event-socket/framing.ts';

export interface SwitchEvent {
  readonly name: string;
  /** Only for CUSTOM. */
  readonly subclass: string | undefined;
  readonly headers: EventHeaders;
  readonly body: string | undefined;
}

export type EventListener = (event: SwitchEvent) => void;

/** Told to everybody in order of publication. A listener must not throw. */
export class EventBus {
  readonly coreUuid = randomUUID();
  readonly #listeners = new Set<EventListener>();
  readonly #now: () => number;
  #sequence = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The function it returns ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(name: string, headers: EventHeaders, options: { subclass?: string; body?: string } = {}): void {
    if (this.#listeners.size === 0) return;
    const { subclass, body } = options;
    const event = {
      name,
      subclass,
      body,
      headers: { ...this.common(name), ...(subclass && { 'Event-Subclass': subclass }), ...headers },
    };
    for (const listener of this.#listeners) listener(event);
  }

  /** Headers of every event. */
  common(name: string): EventHeaders {
    const now = new Date(this.#now());
    this.#sequence += 1;
    return {
      'Event-Name': name,
      'Core-UUID': this.coreUuid,
      'FreeSWITCH-Hostname': HOSTNAME,
      'FreeSWITCH-Switchname': HOSTNAME,
      'Event-Date-GMT': now.toUTCString(),
      'Event-Date-Timestamp': String(now.getTime() * 1000),
      'Event-Sequence': String(this.#sequence),
    };
  }
}

const HOSTNAME = hostname();
