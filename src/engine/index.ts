export { Chases } from './chases.ts';
export type { Recorded } from './adopted-call.ts';
export { HOUSE } from './house-call.ts';
export { Engine, type EngineParts } from './engine.ts';
export { type EngineOptions, engineSchema } from './options.ts';
export * from './ports.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
