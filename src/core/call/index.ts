export * from './effects.ts';
export * from './end-causes.ts';
export * from './events.ts';
export * from './world.ts';
