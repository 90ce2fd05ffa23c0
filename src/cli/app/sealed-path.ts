import { join } from 'node:path';
import type { Foundation } from './foundation.ts';

/** Of a message, a greeting or a comment. */
export function sealedPath(folders: Pick<Foundation['folders'], 'messages'>, id: string): string {
  return join(folders.messages, `${id}.sealed`);
}
