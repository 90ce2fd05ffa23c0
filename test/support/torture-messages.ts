// The messages of RFC 4475 and RFC 5118 in our own words, and a few more of their kind.

/** A correct OPTIONS; lines given by name replace or add, undefined leaves out. */
export function aMessage(changes: Record<string, string | undefined> = {}, body = ''): string {
  const lines: Record<string, string | undefined> = {
    start: 'OPTIONS sip:bob@127.0.0.1 SIP/2.0',
    Via: 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc',
    'Max-Forwards': '70',
    From: '<sip:alice@example.org>;tag=a1',
    To: '<sip:bob@example.org>',
    'Call-ID': 'call1@example.org',
    CSeq: '7 OPTIONS',
    'Content-Length': String(Buffer.byteLength(body)),
    ...changes,
  };
  const fields = Object.entries(lines).filter(([name, value]) => name !== 'start' && value !== undefined);
  return `${[lines.start, ...fields.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`;
}

const sdpLines = (...lines: readonly string[]) => `${['v=0', 's=-', 't=0 0', ...lines].join('\r\n')}\r\n`;
const uri = (text: string) => aMessage({ start: `OPTIONS ${text} SIP/2.0` });
/** Name, text, and what becomes of it: served (`ok`), refused with a status, or dropped. */
export const tortureMessages: readonly (readonly [name: string, text: string, expected: 'ok' | 'drop' | number])[] = [
  ['a plain request', aMessage(), 'ok'],
  [
    'wsinv: folding, LWS, short forms',
    [
      'INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0',
      'TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n',
      'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'Call-ID: wsinv.ndaksdj@192.0.2.1',
      'Content-Length   : 0',
      'cseq: 0009\r\n  INVITE',
      'Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw',
      's :',
      'NewFangledHeader:   newfangled value\r\n continued newfangled value',
      'v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33',
      '',
      '',
    ].join('\r\n'),
    'ok',
  ],
  [
    'intmeth: an unknown method',
    aMessage({
      start: "!interesting-Method0123456789_*+`.%indeed'~ sip:1@b.c SIP/2.0",
      CSeq: "1 !interesting-Method0123456789_*+`.%indeed'~",
    }),
    501,
  ],
  ['esc01: escapes in the user', uri('sip:sips%3Auser%40example.com@example.net'), 'ok'],
  ['escnull: %00 in the user', uri('sip:null-%00-null@example.com'), 'ok'],
  [
    'esc02: an escaped method is not that method',
    aMessage({ start: 'RE%47IST%45R sip:b.c SIP/2.0', CSeq: '1 RE%47IST%45R' }),
    501,
  ],
  ['lwsdisp: no space before <', aMessage({ From: 'caller<sip:caller@example.com>;tag=323' }), 'ok'],
  ['dblreq: bytes after the message', `${aMessage()}INVITE sip:joe SIP/2.0\r\n`, 'ok'],
  ['semiuri: a user with parameters', uri('sip:user;par=u%40example.net@example.com'), 'ok'],
  ['transports: any protocol in a Via', aMessage({ Via: 'SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKx' }), 'ok'],
  ['badinv01: stray ; and , in Via', aMessage({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,' }), 400],
  ['badinv01: stray ; in Contact', aMessage({ Contact: '"Joe" <sip:joe@example.org>;;;;' }), 400],
  ['clerr: body too short', aMessage({ 'Content-Length': '9999' }), 400],
  ['ncl: negative length', aMessage({ 'Content-Length': '-999' }), 400],
  ['scalar02: CSeq out of range', aMessage({ CSeq: '36893488147419103232 OPTIONS' }), 400],
  ['scalar02: Max-Forwards out of range', aMessage({ 'Max-Forwards': '300' }), 400],
  [
    'scalarlg: a response with such a CSeq',
    aMessage({ start: 'SIP/2.0 503 Service Unavailable', CSeq: '9292394834772304023312 OPTIONS' }),
    'drop',
  ],
  ['quotbal: an open quote', aMessage({ To: '"Mr. J. User <sip:j.user@example.com>' }), 400],
  ['ltgtruri: <> around the Request-URI', uri('<sip:user@example.com>'), 400],
  ['lwsruri: spaces in the Request-URI', uri('sip:user@example.com; lr'), 400],
  ['lwsstart: several spaces', aMessage({ start: 'OPTIONS  sip:user@example.com  SIP/2.0' }), 400],
  ['trws: a space after the version', aMessage({ start: 'OPTIONS sip:user@example.com SIP/2.0  ' }), 400],
  ['baddate: a wrong Date', aMessage({ Date: 'Fri, 01 Jan 2010 16:00:00 EST' }), 'ok'],
  ['regbadct: ? outside <>', aMessage({ Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }), 400],
  ['badaspec: spaces in the address', aMessage({ To: '"Watson, Thomas" < sip:t.watson@example.org >' }), 400],
  ['baddn: unquoted display name', aMessage({ From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43' }), 400],
  ['badvers: SIP/7.0', aMessage({ start: 'OPTIONS sip:t.watson@example.org SIP/7.0' }), 505],
  ['mismatch01: CSeq of another method', aMessage({ CSeq: '8 INVITE' }), 400],
  [
    'mismatch02: unknown method, other CSeq',
    aMessage({ start: 'NEWMETHOD sip:user@example.com SIP/2.0', CSeq: '8 INVITE' }),
    501,
  ],
  ['bigcode: a status above 699', aMessage({ start: 'SIP/2.0 4294967301 better not break the receiver' }), 'drop'],
  ['badbranch: nothing but the cookie', aMessage({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }), 400],
  ['insuf: no Call-ID', aMessage({ 'Call-ID': undefined }), 400],
  ['insuf: no From', aMessage({ From: undefined }), 400],
  ['insuf: no Via', aMessage({ Via: undefined }), 'drop'],
  ['unkscm: an unknown scheme', uri('nobodyKnowsThisScheme:totallyopaquecontent'), 416],
  ['novelsc: a scheme that is not ours', uri('soap.beep://192.0.2.103:3002'), 416],
  ['multi01: two Call-IDs', aMessage().replace('Call-ID:', 'Call-ID: other\r\nCall-ID:'), 400],
  ['mcl01: two lengths', aMessage().replace('Content-Length:', 'Content-Length: 5\r\nContent-Length:'), 400],
  ['zeromf: Max-Forwards 0', aMessage({ 'Max-Forwards': '0' }), 'ok'],
  ['unreason: UTF-8 in the reason', aMessage({ start: 'SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять' }), 'ok'],
  ['noreason: an empty reason', aMessage({ start: 'SIP/2.0 100 ' }), 'ok'],
  [
    'inv2543: no branch, no tag, no Max-Forwards',
    aMessage({ Via: 'SIP/2.0/UDP iftgw.example.com', From: '<sip:+13035551111@ift>', 'Max-Forwards': undefined }),
    'ok',
  ],
  ['5118 4.1: an IPv6 reference', uri('sip:user@[2001:db8::10]'), 'ok'],
  ['5118 4.2: IPv6 without brackets', uri('sip:2001:db8::10'), 400],
  ['5118 4.3: what looks like a port is the end of the address', uri('sip:[2001:db8::10:5070]'), 'ok'],
  ['5118 4.4: IPv6 with a port', uri('sip:[2001:db8::10]:5070'), 'ok'],
  [
    '5118 4.5: received= with brackets',
    aMessage({ Via: 'SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3' }),
    'ok',
  ],
  [
    '5118 4.5: received= without',
    aMessage({ Via: 'SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3' }),
    'ok',
  ],
  [
    '5118 4.6: IPv6 in the SDP',
    aMessage({ 'Content-Type': 'application/sdp' }, sdpLines('o=assistant 971731711378798081 0 IN IP6 2001:db8::20')),
    'ok',
  ],
  [
    '5118 4.7: both kinds of addresses in the headers',
    aMessage({
      Via: 'SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144',
      Contact: '<sip:alice@[2001:db8::9:1]>, <sip:alice@192.0.2.1:5061>',
      'Record-Route': '<sip:[2001:db8::9:255];lr>, <sip:192.0.2.254;lr>',
    }),
    'ok',
  ],
  [
    '5118 4.8: both kinds in the SDP, each line its own',
    aMessage(
      { 'Content-Type': 'application/sdp' },
      sdpLines('m=audio 6000 RTP/AVP 0', 'c=IN IP6 2001:db8::1', 'm=video 6024 RTP/AVP 107', 'c=IN IP4 192.0.2.1'),
    ),
    'ok',
  ],
  [
    '5118 4.9: IPv4 inside IPv6',
    aMessage({
      Via: 'SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19',
      Contact: '"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
    }),
    'ok',
  ],
  ['5118 4.10: three colons', uri('sip:user@[2001:db8:::192.0.2.1]'), 400],
  ['a header smuggled by a lone LF', aMessage({ Subject: 'x\nVia: SIP/2.0/UDP evil' }), 400],
  ['a header line without a colon', aMessage().replace('Max-Forwards: 70', 'Max-Forwards 70'), 400],
  ['odd bytes before the colon', aMessage().replace('Call-ID:', 'Call-ID\x01:'), 400],
  ['201 headers', aMessage().replace('CSeq:', `${'X-A: 1\r\n'.repeat(200)}CSeq:`), 'drop'],
  ['a header of 9 KB', aMessage({ Subject: 'x'.repeat(9_000) }), 400],
  ['a Request-URI of 2 KB', uri(`sip:${'x'.repeat(2_000)}@b.c`), 414],
  ['SDP of 17 KB', aMessage({ 'Content-Type': 'application/sdp', 'Content-Length': '17000' }, 'v'.repeat(17_000)), 413],
  ['an HTTP request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'drop'],
  ['nothing', '\r\n\r\n', 'drop'],
];
