/** A softphone in a page: JsSIP signals, the browser has the sound. web-phone.ts drives it by the name `phone`. */
const said = [];
const sound = new AudioContext();
const ear = new AnalyserNode(sound, { fftSize: 4096, smoothingTimeConstant: 0 });
/** A browser hands what it hears to an AudioContext only while an element plays it. */
const player = new Audio();
let ua;
let session;
let microphone;

function follow(one) {
  session = one;
  for (const name of ['progress', 'confirmed', 'hold', 'unhold', 'ended', 'failed'])
    one.on(name, ({ originator, cause }) => said.push([name, originator, cause].filter(Boolean).join(' ')));
  const listen = (connection) => connection.addEventListener('track', ({ track }) => hear(new MediaStream([track])));
  if (one.connection) listen(one.connection);
  else one.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
}

function hear(stream) {
  player.srcObject = stream;
  void player.play();
  sound.createMediaStreamSource(stream).connect(ear);
}

globalThis.phone = {
  said,

  async register(server, user, password) {
    const plainly = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    microphone = await navigator.mediaDevices.getUserMedia({ audio: plainly });
    const sockets = [new JsSIP.WebSocketInterface(`wss://${server}`)];
    ua = new JsSIP.UA({ sockets, uri: `sip:${user}@${server}`, password, session_timers: false });
    ua.on('newRTCSession', (event) => {
      if (event.originator === 'remote') said.push('rung');
      follow(event.session);
    });
    await new Promise((resolve, reject) => {
      ua.on('registered', resolve);
      ua.on('registrationFailed', ({ cause }) => reject(new Error(cause)));
      ua.start();
    });
  },

  dial: (number) => void ua.call(number, { mediaStream: microphone }),
  answer: () => session.answer({ mediaStream: microphone }),
  hold: () => session.hold(),
  unhold: () => session.unhold(),
  takesKeys: () => session.connection.getSenders()[0].dtmf.canInsertDTMF,
  press: (key) => session.sendDTMF(key, { transportType: 'RFC2833' }),
  hangUp: () => session.terminate(),

  /** The loudest of what is heard now, in Hz; 0 when it is silent. */
  loudestHz() {
    const levels = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(levels);
    const at = levels.indexOf(Math.max(...levels));
    return levels[at] > -60 ? (at * sound.sampleRate) / ear.fftSize : 0;
  },

  /** What RTCPeerConnection says of itself. */
  async state() {
    const all = [...(await session.connection.getStats()).values()];
    const one = (type, more = () => true) => all.find((report) => report.type === type && more(report)) ?? {};
    const { nominated, state } = one('candidate-pair', (pair) => pair.nominated);
    const inbound = one('inbound-rtp');
    return {
      ice: { nominated, state },
      dtls: one('transport'),
      codec: all.find(({ id }) => id === inbound.codecId)?.mimeType,
      packetsLost: inbound.packetsLost,
      reported: one('remote-inbound-rtp'),
    };
  },
};
