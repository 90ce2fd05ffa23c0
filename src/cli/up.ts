import { prepare } from './supervise/prepared.ts';
import { supervise } from './supervise/house.ts';

/**
 * `wardline up`: makes the data folder and the secrets ready, then supervises sipd, mediad and the app until Ctrl-C.
 * Resolves with the exit code. This process lives as long as the house, so it loads nothing but Node's own modules.
 */
export async function up(args: readonly string[]): Promise<number> {
  const prepared = await prepare(args);
  return prepared.kind === 'over' ? prepared.exitCode : supervise(prepared.plan);
}
