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

/** For `t.jobs`: a server that runs already serves one house at a time, for it hands calls to its apps in turn. */
export function housesAtOnce(many: number): number {
  return [drachtioServer, freeswitch].some((server) => server?.kind === 'running') ? 1 : many;
}

/** Leaves a story out that ends or stops a server, when one of that kind runs already: it may have other work. */
export function notOnRunning(...kinds: readonly ('signalling' | 'media')[]): { readonly skip?: string } {
  const isRunning = { signalling: drachtioServer?.kind === 'running', media: freeswitch?.kind === 'running' };
  const found = kinds.find((kind) => isRunning[kind]);
  return found === undefined ? {} : { skip: `the ${found} server was not started here, and would be ended or stopped` };
}
