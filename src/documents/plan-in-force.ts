import type { PlanOrders } from '../engine/ports.ts';
import type { DocumentFile } from './document-file.ts';
import type { DocumentsOptions } from './options.ts';

/**
 * The documents that ought to be in force, given those in the folders and the content hash of the plan there: an order of `wardline plan activate` or
 * `rollback` may put another version of the plan in their place. ADR 0022.
 */
export function ordered(
  folder: { readonly files: readonly DocumentFile[]; readonly plan: string },
  activation: DocumentsOptions['activation'],
  orders: PlanOrders | undefined,
): readonly DocumentFile[] {
  const { files, plan } = folder;
  const order = orders?.newest() ?? null;
  if (order === null) return files;
  const isHeld = activation === 'manual' || (order.how === 'rollback' && order.insteadOf === plan);
  const version = isHeld ? (orders?.find(order.version) ?? null) : null;
  if (version === null) return files;
  return [...files.filter(({ kind }) => kind !== 'plan'), ...version.files];
}
