interface Trouble {
  readonly check: string;
  readonly says: string;
  readonly remedy: string;
}

/** Something does not work; `remedy` says what to do. */
export interface Fault extends Trouble {
  readonly state: 'bad';
}

/** good; note: worth knowing, the house works; bad: a fault. */
export type Finding =
  | { readonly check: string; readonly state: 'good'; readonly says: string }
  | (Trouble & { readonly state: 'note' })
  | Fault;
