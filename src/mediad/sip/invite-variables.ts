import { callIdOf, parseNameAddr, parseUri, type SipRequest } from '../../sip/index.ts';

/** The variables FreeSWITCH makes of an INVITE. */
export function inviteVariables(request: SipRequest): ReadonlyMap<string, string> {
  const { headers } = request;
  const variables = new Map<string, string>([
    ['direction', 'inbound'],
    ['sip_call_id', callIdOf(request)],
    ['sip_user_agent', headers.get('User-Agent') ?? ''],
    ['sip_req_uri', request.uri.replace(/^sips?:/, '')],
    ['playback_terminators', 'none'],
    ['hangup_after_bridge', 'false'],
    ['park_after_bridge', 'true'],
  ]);
  for (const which of ['From', 'To'] as const) {
    const address = parseNameAddr(headers.get(which) ?? '');
    const uri = address === undefined ? undefined : parseUri(address.uri);
    variables.set(`sip_${which.toLowerCase()}_user`, uri?.user ?? '');
    variables.set(`sip_${which.toLowerCase()}_host`, uri?.host ?? '');
    variables.set(`sip_${which.toLowerCase()}_uri`, address?.uri.replace(/^sips?:/, '') ?? '');
  }
  headers.forEach((name, value) => {
    if (/^x-/i.test(name) && variables.size < 100) variables.set(`sip_h_${name}`, value);
  });
  return variables;
}
