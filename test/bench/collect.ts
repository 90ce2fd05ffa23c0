import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects all garbage, in a process that was started in any way. */
export const collect = runInNewContext('gc') as () => void;
