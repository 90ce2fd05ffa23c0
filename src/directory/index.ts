export { Logins } from './logins.ts';
export { makePin, Pins, type PinStore } from './pins.ts';
export { PhoneDirectory } from './phones.ts';
export type { AddResult, Ha1, Phone, PhoneDirectoryOptions, RemoveResult } from './phones.ts';
