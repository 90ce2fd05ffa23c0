import type { AppMessage } from '../supervise/launch-plan.ts';

/**
 * To the process that started this one. That one may be gone, or go just now: a channel that breaks while we write is told
 * to a callback, or else ends the process, and with it every call.
 */
export function tellSupervisor(message: AppMessage): void {
  if (process.connected) process.send?.(message, () => {});
}
