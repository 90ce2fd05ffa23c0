import { isIPv6 } from 'node:net';
import { type Params, parseParams, serialiseParams } from './params.ts';
import { hostPortText, parsePort } from './uri.ts';

/** One hop of RFC 3261 20.42. */
export interface Via {
  /** Upper case: UDP, TCP, … */
  readonly protocol: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
}

export const magicCookie = 'z9hG4bK';

// White space is allowed around the slashes (RFC 4475 3.1.1.1). Every part excludes the next separator: linear time.
const sentProtocol = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9-.!%*_+`'~]+)[ \t]+/i;

/** Undefined if it is not well formed. Each layer asks for the same top Via in turn, so the last one is kept. */
export function parseVia(text: string): Via | undefined {
  if (text !== lastText) {
    lastVia = readVia(text);
    lastText = text;
  }
  return lastVia;
}

let lastText = '';
let lastVia: Via | undefined;

function readVia(text: string): Via | undefined {
  const match = sentProtocol.exec(text);
  if (match === null) return undefined;
  const semicolon = text.indexOf(';');
  const sentBy = (semicolon < 0 ? text.slice(match[0].length) : text.slice(match[0].length, semicolon)).trim();
  const params = parseParams(text, semicolon < 0 ? text.length : semicolon);
  const hostPort = parseSentBy(sentBy);
  if (params === undefined || hostPort === undefined) return undefined;
  return { protocol: (match[1] as string).toUpperCase(), host: hostPort.host, port: hostPort.port, params };
}

export function serialiseVia(via: Via): string {
  return `SIP/2.0/${via.protocol} ${hostPortText(via.host, via.port)}${serialiseParams(via.params)}`;
}

function parseSentBy(text: string): { host: string; port: number | undefined } | undefined {
  const isBracketed = text.startsWith('[');
  const colon = isBracketed ? text.indexOf(':', text.indexOf(']')) : text.indexOf(':');
  const hostText = (colon < 0 ? text : text.slice(0, colon)).trim();
  const host = isBracketed ? hostText.slice(1, -1) : hostText;
  if (isBracketed ? !isIPv6(host) : !/^[A-Za-z0-9._-]{1,255}$/.test(host)) return undefined;
  if (colon < 0) return { host, port: undefined };
  const port = parsePort(text.slice(colon + 1).trim());
  return port === undefined ? undefined : { host, port };
}
