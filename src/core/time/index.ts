export * from './holidays.ts';
export * from './instant.ts';
export * from './spans.ts';
export * from './wall.ts';
export * from './zone.ts';
