/** What a house that is up says of one server. */
export interface ServerNow {
  readonly isUp: boolean;
  readonly isDraining: boolean;
  readonly legs: number;
}

const WITHIN_MS = 3_000;
const LINE = /^wardline_server_(up|draining|legs)\{kind="(signalling|media)",server="([^"]{1,300})"\} (\d{1,9})$/gm;

/** By "signalling sipd" and "media mediad"; null: no house answers on its admin address. Never rejects. */
export async function askServers(admin: string): Promise<ReadonlyMap<string, ServerNow> | null> {
  try {
    const page = await fetch(`http://${admin}/metrics`, { signal: AbortSignal.timeout(WITHIN_MS) });
    return serversOn(await page.text());
  } catch {
    return null;
  }
}

function serversOn(metrics: string): ReadonlyMap<string, ServerNow> {
  const servers = new Map<string, ServerNow>();
  for (const [, what, kind, name, value] of metrics.matchAll(LINE)) {
    const before = servers.get(`${kind} ${name}`) ?? { isUp: false, isDraining: false, legs: 0 };
    const said =
      what === 'up'
        ? { isUp: value === '1' }
        : what === 'draining'
          ? { isDraining: value === '1' }
          : { legs: Number(value) };
    servers.set(`${kind} ${name}`, { ...before, ...said });
  }
  return servers;
}
