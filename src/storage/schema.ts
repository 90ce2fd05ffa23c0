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
  server_orders: {
    id: Generated<number>;
    kind: string;
    server: string;
    draining: number;
    at: number;
    author: string;
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
    service: string | null;
    urgency: string | null;
    path: string;
    exported_at: number | null;
    /** new, saved or deleted. */
    state: Generated<string>;
    private: Generated<number>;
    /** Sealed. */
    call_back: string | null;
    heard_at: number | null;
    heard_by: string | null;
    claimed_at: number | null;
    claimed_by: string | null;
    deleted_at: number | null;
    deleted_by: string | null;
    /** Kept whatever the rules say: a legal hold. */
    held_at: number | null;
    held_by: string | null;
    sent_by: string | null;
    copy_of: string | null;
    /** Brought back or handed over: it is followed anew. */
    followed_at: number | null;
    followed_by: string | null;
    /** The sound is gone for ever; the row stays. */
    shredded_at: number | null;
  };
  /** Urgent messages that are followed until somebody takes them; `state` is a Chase as JSON. */
  chases: { message_id: string; state: string; ended_at: number | null };
  greetings: {
    mailbox: string;
    kind: string;
    greeting_id: string;
    set_at: number;
    set_by: string;
    ends_at: number | null;
  };
  /** `due_at`: null when it is sent or given up. */
  notices: {
    notice_id: string;
    message_id: string;
    mailbox: string;
    hook: string;
    to: string;
    urgent: number;
    made_at: number;
    due_at: number | null;
    tries: number;
    begun_at: number | null;
    outcome: string | null;
  };
  /** `due_at`: null when there is a text, or it is given up. */
  transcripts: { message_id: string; tries: number; due_at: number | null };
  mailbox_pins: { mailbox: string; hash: string; set_at: number; set_by: string };
  /** PINs that were tried and not right since the last right one. `about`: "mailbox 3101" or "from 2101". */
  pin_tries: { about: string; failures: number; last_at: number };
  roster_overrides: {
    id: number;
    kind: string;
    service: string;
    tier: string;
    starts_at: number;
    ends_at: number;
    person_out: string | null;
    person_in: string | null;
    author: string;
    reason: string;
    made_at: number;
    swap: number | null;
    accepted_at: number | null;
    accepted_by: string | null;
    ended_at: number | null;
    ended_by: string | null;
    ended_for: number | null;
    /** Of the change that touched the row last; counts up. */
    revision: number;
  };
  roster_feeds: {
    feed: string;
    /** null: nothing of it was ever taken. */
    document: string | null;
    taken_at: number | null;
    refused_because: string | null;
    refused_at: number | null;
    /** Counts up with every document that is taken. */
    revision: number;
  };
  roster_calendars: {
    id: Generated<number>;
    /** Whose duties; exactly one of the two. */
    person: string | null;
    service: string | null;
    /** SHA-256 of the token in its address, in hex: who reads the store cannot read the calendar. */
    token_hash: string;
    made_at: number;
    made_by: string;
    ended_at: number | null;
    ended_by: string | null;
  };
  audit_terms: {
    term: string;
    /** The call, or "#" and the entry for facts of no call. */
    about: string;
    at: number;
    seq: number;
    call_id: string | null;
  };
  audit_indexed: { id: number; seq: number };
  audit_entries: {
    seq: number;
    at: number;
    call_id: string | null;
    body: string;
    prev: Uint8Array;
    hash: Uint8Array;
  };
}
