import { fileURLToPath } from 'node:url';
import type { LaunchPlan } from './launch-plan.ts';
import { startNode } from '../../processes/index.ts';

export type Prepared =
  | { readonly kind: 'ready'; readonly plan: LaunchPlan }
  | { readonly kind: 'over'; readonly exitCode: number };

/**
 * Reads the command line and the configuration in a process of its own that ends at once: the libraries for that would
 * otherwise stay in the supervisor's memory for as long as the house is up. It prints its own errors.
 */
export async function prepare(args: readonly string[]): Promise<Prepared> {
  const script = fileURLToPath(new URL('./prepare.ts', import.meta.url));
  const child = startNode(script, args, ['ignore', 'inherit', 'inherit', 'ipc']);
  let plan: LaunchPlan | null = null;
  child.on('message', (message) => {
    plan = message as LaunchPlan;
  });
  const exitCode = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  return plan !== null && exitCode === 0 ? { kind: 'ready', plan } : { kind: 'over', exitCode };
}
