export { HttpLookups } from './http-lookups.ts';
