import { type Flow, Headers, parseUri, type ProxyOptions, serialise, type SipResponse } from '../sip/index.ts';
import type { AppCommand } from './control/control-server.ts';
import { parseAppMessage } from './control/app-message.ts';
import { metaTokens } from './control/meta.ts';

/** What an app wants proxied, and how. */
export interface ProxyCommand {
  readonly txnId: string;
  readonly options: Omit<ProxyOptions, 'flowFor'>;
  /** Whether the app wants to see each final response. */
  readonly wantsResponses: boolean;
}

const maxTargets = 32;

/**
 * `txnId|remainInDialog?|fullResponse?|followRedirects?|simultaneous or serial|provisional|final|target|target…`, the
 * time limits as `500ms` or `2s`, and after it a start line with the headers to add. A sentence if it cannot be done.
 */
export function parseProxyCommand(command: AppCommand): ProxyCommand | string {
  const [txnId = '', remain = '', full = '', follow = '', order = '', provisional = '', final = '', ...targets] =
    command.tokens;
  const wanted = targets.filter((target) => target !== '');
  if (wanted.length === 0) return 'no destination to proxy to';
  if (wanted.length > maxTargets) return `more than ${maxTargets} destinations`;
  const wrong = wanted.find((target) => parseUri(target) === undefined);
  if (wrong !== undefined) return `destination is not a sip: URI: ${wrong.slice(0, 80)}`;
  const [provisionalWithinMs, finalWithinMs] = [milliseconds(provisional), milliseconds(final)];
  if (provisionalWithinMs === 'wrong' || finalWithinMs === 'wrong') {
    return 'a timeout is a number with its unit: 500ms, 2s';
  }
  const message = command.message === undefined ? undefined : parseAppMessage(command.message);
  return {
    txnId,
    wantsResponses: full === 'fullResponse',
    options: {
      targets: wanted,
      order: order === 'simultaneous' ? 'simultaneous' : 'serial',
      staysInPath: remain === 'remainInDialog',
      followsRedirects: follow === 'followRedirects',
      provisionalWithinMs,
      finalWithinMs,
      headers: message?.headers ?? new Headers(),
    },
  };
}

/** The tokens that tell an app of a final response while more may come. */
export function proxyResponseTokens(response: SipResponse, from: Flow | undefined, atMs: number): ProxyReply {
  const message = serialise(response);
  const address = from?.remote ?? { host: '127.0.0.1', port: 0 };
  // The word at its very place keeps the app's callback alive.
  return { tokens: `OK|network|${metaTokens(message, from?.protocol ?? 'udp', address, atMs)}|||continue`, message };
}

interface ProxyReply {
  readonly tokens: string;
  readonly message: Buffer;
}

function milliseconds(text: string): number | undefined | 'wrong' {
  if (text === '') return undefined;
  const match = /^(\d{1,7})(ms|s)$/.exec(text);
  if (match === null) return 'wrong';
  return Number(match[1]) * (match[2] === 's' ? 1_000 : 1);
}
