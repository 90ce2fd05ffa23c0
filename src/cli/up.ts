import { prepare } from './supervise/prepared.ts';
import { STOPS, supervise } from './supervise/house.ts';

/**
 * `wardline up`: makes the data folder and the secrets ready, then supervises sipd, mediad and the app until Ctrl-C.
 * Resolves with the exit code. This process lives as long as the house, so it loads nothing but Node's own modules.
 */
export async function up(args: readonly string[]): Promise<number> {
  // Who stops a house that is not there yet means also what a supervisor that died has left running.
  let isStopped = false;
  for (const signal of STOPS) {
    process.on(signal, () => {
      isStopped = true;
    });
  }
  const prepared = await prepare(args);
  return prepared.kind === 'over' ? prepared.exitCode : supervise(prepared.plan, isStopped);
}
