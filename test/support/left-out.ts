import { drachtioServer } from './drachtio-server.ts';
import { freeswitch } from './freeswitch.ts';

/** For `t.test`: leaves a story out on drachtio-server, and says why; docs/engines.md has the whole reason. */
export function notOnDrachtioServer(why: string): { readonly skip?: string } {
  return drachtioServer === undefined ? {} : { skip: `on drachtio-server ${why}` };
}

/** The same on FreeSWITCH. */
export function notOnFreeswitch(why: string): { readonly skip?: string } {
  return freeswitch === undefined ? {} : { skip: `on FreeSWITCH ${why}` };
}
