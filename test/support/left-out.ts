import { drachtioServer } from './drachtio-server.ts';

/** For `t.test`: leaves a story out on drachtio-server, and says why; docs/engines.md has the whole reason. */
export function notOnDrachtioServer(why: string): { readonly skip?: string } {
  return drachtioServer === undefined ? {} : { skip: `on drachtio-server ${why}` };
}
