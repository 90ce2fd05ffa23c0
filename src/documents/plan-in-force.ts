import type { PlanOrders } from '../engine/ports.ts';
import { type DocumentFile, versionOf } from './document-file.ts';
import type { DocumentsOptions } from './options.ts';

/**
 * The documents that ought to be in force, given those in the folders: an order of `wardline plan activate` or
 * `rollback` may put another version of the plan in their place. ADR 0022.
 */
export function ordered(
  files: readonly DocumentFile[],
  activation: DocumentsOptions['activation'],
  orders: PlanOrders | undefined,
): readonly DocumentFile[] {
  const order = orders?.newest() ?? null;
  if (order === null) return files;
  const isHeld = activation === 'manual' || (order.how === 'rollback' && order.insteadOf === versionOf('plan', files));
  const version = isHeld ? (orders?.find(order.version) ?? null) : null;
  if (version === null) return files;
  return [...files.filter(({ kind }) => kind !== 'plan'), ...version.files];
}
