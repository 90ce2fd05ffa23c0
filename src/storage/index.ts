export { SqliteBindings } from './bindings.ts';
export type { BindingRow } from './bindings.ts';
export type { CallRow, SqliteCalls } from './calls.ts';
export type { SqliteChain } from './chain.ts';
export type { MessageRow, SqliteMessages } from './messages.ts';
export type { PhoneRow, SqlitePhones } from './phones.ts';
export type { Sealer } from './sealer.ts';
export { openStore } from './store.ts';
export type { Store, StoreOptions, StoreRole } from './store.ts';
