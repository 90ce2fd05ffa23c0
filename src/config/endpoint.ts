import { z } from 'zod';

const ADDRESS = '(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[[0-9A-Fa-f:.]+\\])';
const PLAIN = new RegExp(`^(${ADDRESS}):(\\d{1,5})$`);
const WITH_TRANSPORT = new RegExp(`^(udp|tcp|tls|ws|wss)/(${ADDRESS}):(\\d{1,5})$`);

/** "127.0.0.1:5090"; port 0 takes any free one. */
export const endpointText = z
  .string()
  .refine((text) => parseEndpoint(text) !== null, 'must read address:port, such as 127.0.0.1:5090');

/** "udp/0.0.0.0:5060" */
export const listenText = z
  .string()
  .refine((text) => parseListen(text) !== null, 'must read transport/address:port, such as udp/0.0.0.0:5060');

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

export interface Listen extends Endpoint {
  readonly transport: Transport;
}

export function parseEndpoint(text: string): Endpoint | null {
  const parts = PLAIN.exec(text);
  return parts === null ? null : endpoint(parts[1] ?? '', Number(parts[2]));
}

export function parseListen(text: string): Listen | null {
  const parts = WITH_TRANSPORT.exec(text);
  const where = parts === null ? null : endpoint(parts[2] ?? '', Number(parts[3]));
  return where === null ? null : { transport: parts?.[1] as Transport, ...where };
}

function endpoint(bracketed: string, port: number): Endpoint | null {
  const host = bracketed.replace(/^\[|\]$/g, '');
  const isAddress = z.ipv4().safeParse(host).success || z.ipv6().safeParse(host).success;
  return isAddress && port <= 65_535 ? { host, port } : null;
}
