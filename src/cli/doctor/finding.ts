/** good; note: worth knowing, the house works; bad: something does not work, `remedy` says what to do. */
export type Finding =
  | { readonly check: string; readonly state: 'good'; readonly says: string }
  | { readonly check: string; readonly state: 'note' | 'bad'; readonly says: string; readonly remedy: string };
