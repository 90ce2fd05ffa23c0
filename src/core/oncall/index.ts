export * from './check-roster.ts';
export * from './compile-roster.ts';
export * from './index-roster.ts';
export * from './model.ts';
export * from './problem.ts';
export * from './shifts.ts';
