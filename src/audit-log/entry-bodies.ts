import { canonicalBody, type Fact } from '../core/audit/index.ts';
import type { AuditEntry } from '../engine/ports.ts';
import type { Logger } from '../observe/index.ts';
import type { Body } from './link.ts';

/** Makes entries into canonical bodies, each with an id that is unique for ever. */
export class EntryBodies {
  readonly #seal: (text: string) => string;
  readonly #bootId: string;
  readonly #logger: Logger;
  #nextId = 0;

  /** `bootId` names this process. */
  constructor(parts: {
    readonly seal: (text: string) => string;
    readonly bootId: string;
    readonly logger: Logger;
  }) {
    this.#seal = parts.seal;
    this.#bootId = parts.bootId;
    this.#logger = parts.logger;
  }

  /** Never throws: what cannot be written is shown as such. */
  of({ at, callId, fact }: AuditEntry): Body {
    const id = `${this.#bootId}-${(this.#nextId++).toString(36)}`;
    const seal = this.#seal;
    try {
      return { at, callId, body: canonicalBody({ id, at, callId, fact, seal }) };
    } catch (error) {
      this.#logger.error({ err: error, kind: fact.fact }, 'fact not writable');
      const because = error instanceof Error ? error.message : String(error);
      const instead: Fact = { fact: 'factUnwritable', kind: fact.fact, because };
      return { at, callId, body: canonicalBody({ id, at, callId, fact: instead, seal }) };
    }
  }
}
