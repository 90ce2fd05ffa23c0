import type { Generated } from 'kysely';

/** The tables, as Kysely sees them. Instants are milliseconds since 1970; sealed columns hold ciphertext. */
export interface Schema {
  phones: { extension: string; ha1_md5: string; ha1_sha256: string; created_at: number };
  bindings: {
    extension: string;
    contact: string;
    /** Everything the registrar needs to reach the contact, as JSON. */
    details: string;
    expires_at: number;
  };
  document_versions: { id: Generated<number>; at: number; plan: string; roster: string; files: string };
  plan_versions: { id: Generated<number>; version: string; at: number; author: string; files: string };
  plan_orders: {
    id: Generated<number>;
    version: string;
    at: number;
    author: string;
    how: string;
    instead_of: string | null;
  };
  calls: {
    call_id: string;
    started_at: number;
    from_sealed: string;
    dialled: string;
    ended_at: number | null;
    cause: string | null;
    accepted_by: string | null;
    service: string | null;
  };
  messages: {
    message_id: string;
    mailbox: string;
    call_id: string | null;
    at: number;
    duration_ms: number;
    urgent: number;
    path: string;
    exported_at: number | null;
  };
  audit_entries: {
    seq: number;
    at: number;
    call_id: string | null;
    body: string;
    prev: Uint8Array;
    hash: Uint8Array;
  };
}
