import type { Codec } from '../../src/mediad/media/codec/codec-types.ts';
import { MediaLeg } from '../../src/mediad/media/media-leg.ts';
import type { RemoteMedia } from '../../src/mediad/media/messages.ts';

type Transport = ConstructorParameters<typeof MediaLeg>[0]['transport'];

/** A leg without sockets: `send` gets what it sends. */
export function mediaLeg(send: Transport['send'], silenceMs = 0): MediaLeg {
  return new MediaLeg({
    transport: { send, sendControl() {}, connect() {}, disconnect() {}, close() {} },
    events: { digit() {}, silent() {}, measured() {}, reported() {} },
    silenceMs,
    nowMs: 0,
  });
}

/** A phone that takes this codec, and neither keys nor RTCP nor comfort noise. */
export function phoneWith(codec: Codec, payloadType: number, sendTo: RemoteMedia['sendTo']): RemoteMedia {
  return {
    codec,
    payloadType,
    events: undefined,
    sendTo,
    alsoFrom: [],
    control: undefined,
    noise: undefined,
    srtp: undefined,
    isReceiving: true,
  };
}
