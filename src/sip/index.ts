// The SIP library: messages, transports, transactions, dialogs. What a user of it needs to know:
//
//   const endpoint = await SipEndpoint.open({ listen: [{ protocol: 'udp', host: '127.0.0.1', port: 5090 }], handlers });
//   handlers.onRequest(incoming)        a request to answer: incoming.respond(200, { headers, body }); BYE included
//   handlers.onCancelled(incoming, by)  487 has been sent already
//   handlers.onAck(dialog, ack, from)   the ACK of a 2xx, with the SDP answer if we made the offer
//   handlers.onDialogEnded(dialog, { why })
//   incoming.dialog                     set once a response with a tag has gone out, and for requests in a dialog
//   dialog.request('INFO', { headers, body }, { onResponse })     dialog.ack({ body })     dialog.bye()
//   endpoint.proxy(incoming, { targets, order: 'serial', staysInPath: true }, { onFinal, onDone })
//   endpoint.request({ method, uri, headers, body }, { onResponse })     result.outgoing.cancel()
//
//   endpoint.restore(dialog.snapshot())     in the next endpoint under the same address
//
// Retransmissions, 100, PRACK numbers, CANCEL, 481, 482, 491, ACK of failures and the wait for an ACK are handled inside.

export { type Clock, systemClock, type Timer } from './clock.ts';
export { Dialog, type DialogState, type InDialogOptions } from './dialog/dialog.ts';
export type { DialogEnding } from './dialog/dialog-ending.ts';
export type { DialogSnapshot } from './dialog/dialog-snapshot.ts';
export { type EndpointAdmission, type EndpointCounters, type EndpointOptions, SipEndpoint } from './dialog/endpoint.ts';
export type { EndpointHandlers } from './dialog/endpoint-handlers.ts';
export type { InDialogHandlers, RequestInFlight } from './dialog/in-flight.ts';
export { IncomingRequest, type ResponseOptions } from './dialog/incoming-request.ts';
export { type OutgoingHandlers, OutgoingRequest, type ResponseOrigin } from './dialog/outgoing-request.ts';
export type { NewRequest, RequestResult } from './dialog/user-agent-client.ts';
export { type Logger, silentLogger } from './logger.ts';
export { namesExtension } from './message/extensions.ts';
export { headerName, isToken } from './message/header-names.ts';
export { encodeHeaderValue, Headers } from './message/headers.ts';
export { defaultMessageLimits, type MessageLimits } from './message/limits.ts';
export { type NameAddr, parseNameAddr, serialiseNameAddr, tagOf } from './message/name-addr.ts';
export type { Params } from './message/params.ts';
export { parseMessage, type ParseResult } from './message/parse-message.ts';
export {
  callIdOf,
  type CSeq,
  cseqOf,
  fromTagOf,
  responseTo,
  serialise,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  startLine,
  toTagOf,
} from './message/sip-message.ts';
export { splitList } from './message/split-list.ts';
export { reasonPhrase } from './message/status.ts';
export { hostPortText, parseHostPort, parseUri, serialiseUri, type SipUri } from './message/uri.ts';
export { parseVia, serialiseVia, type Via } from './message/via.ts';
export type { ProxyOptions } from './proxy/proxy-core.ts';
export type { ProxyingHandlers } from './proxy/proxying.ts';
export { type Random, systemRandom } from './random.ts';
export { type SipTimers, standardTimers } from './transaction/timers.ts';
export {
  describe,
  type Flow,
  type HostPort,
  isEncrypted,
  type ListenAddress,
  type Protocol,
  protocols,
  transportParam,
  type Vantage,
} from './transport/flow.ts';
export { addressBytes } from './transport/address-bytes.ts';
export { ListenError } from './transport/listen-error.ts';
export type { NameLookup, NaptrRecord, SrvRecord } from './names/name-lookup.ts';
export { type Network, systemNetwork, type UdpSocket } from './transport/network.ts';
export type { TlsCredentials } from './transport/tls-gate.ts';
export type { Tally, WireTap } from './transport/traffic.ts';
export { defaultTransportLimits, type TransportLimits } from './transport/transport.ts';
