export { PhoneDirectory } from './phones.ts';
export type { AddResult, Ha1, Phone, PhoneDirectoryOptions, RemoveResult } from './phones.ts';
