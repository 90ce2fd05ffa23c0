/** What the signalling side tells a media worker, and what it hears back. Everything here crosses a thread by structured clone. */
import type { MessagePort } from 'node:worker_threads';
import type { Metadata } from '../../vault/index.ts';
import type { Codec } from './codec/codec-types.ts';
import type { HeardSound, ListenWish } from './hearing/detector.ts';
import type { IceSession } from '../ice/session.ts';
import type { MasterKey } from '../srtp/suites.ts';
import type { Report } from './rtcp-packet.ts';
import type { ToneScript } from './tone.ts';

export interface RemoteMedia {
  readonly codec: Codec;
  readonly payloadType: number;
  /** Digits by RFC 4733; undefined: the other side takes none. */
  readonly events: { readonly payloadType: number; readonly clockRate: number } | undefined;
  /** Payload type of comfort noise that the other side takes (RFC 3389); undefined: it takes none. */
  readonly noise: number | undefined;
  /** undefined: nobody to send to (hold, black hole). */
  readonly sendTo: Endpoint | undefined;
  /** Where its RTCP goes; `muxed`: on the port of the sound (RFC 5761). undefined: nowhere. */
  readonly control: Endpoint | 'muxed' | undefined;
  /** Addresses besides sendTo's that this leg's audio may come from. */
  readonly alsoFrom: readonly string[];
  /** False while the other side is not expected to send. */
  readonly isReceiving: boolean;
  /** undefined: in the clear, or, by DTLS, not agreed on yet. */
  readonly srtp: SrtpKeys | undefined;
  /** The keys come by DTLS: until they are there nothing is heard or sent. */
  readonly dtls?: DtlsMedia | undefined;
}

export interface DtlsMedia {
  /** undefined: the other side has no ICE, and is found by its address. */
  readonly ice: IceSession | undefined;
}

/** Of one leg: what we protect with, and what the other side does. */
export interface SrtpKeys {
  readonly ours: MasterKey;
  readonly theirs: MasterKey;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Where a leg listens. */
export interface LegPlace {
  readonly port: number;
  /** Of RTCP. */
  readonly controlPort: number;
}

export type PlayItem = { readonly name: string } & (
  | { readonly kind: 'file'; readonly path: string; readonly offsetSamples: number; readonly isEndless: boolean }
  /** One after the other, for ever. */
  | { readonly kind: 'music'; readonly paths: readonly string[] }
  | { readonly kind: 'tone'; readonly script: ToneScript }
  | { readonly kind: 'silence'; readonly durationMs: number }
  /** A sound file that is no file. */
  | { readonly kind: 'speech'; readonly wav: Uint8Array }
  | { readonly kind: 'sealed'; readonly path: string; readonly key: Uint8Array }
);

export interface RecordLimits {
  /** Infinity: none. */
  readonly maxMs: number;
  /** Mean absolute amplitude below which a frame counts as silent; 0 switches the detector off. */
  readonly silenceLevel: number;
  readonly silenceMs: number;
}

export interface RecordRequest {
  readonly path: string;
  readonly recipients: readonly string[];
  readonly metadata: Metadata;
  readonly limits: RecordLimits;
  /** Both sides of a leg; undefined: what the leg says, or what a conference hears. */
  readonly session?: SessionWays;
}

/** Which side of a leg, and whether they share a channel. Stereo: what it says on the left. */
export type SessionWays = 'mixed' | 'heard' | 'said' | 'stereo' | 'stereoSwapped';

/** What a conference does with one member. */
export interface SeatSettings {
  readonly canSpeak: boolean;
  readonly canHear: boolean;
  /** Factors. */
  readonly gainIn: number;
  readonly gainOut: number;
  /** Mean absolute amplitude below which a member who does not talk is not mixed. */
  readonly energyLevel: number;
  /** … and from which it counts as talking, for half a second. */
  readonly talkLevel: number;
}

export type RecordEnding = 'stopped' | 'timeLimit' | 'silence' | 'legClosed' | 'failed';

/** `leg` is the name of a leg or of a conference: both play and record. */
export type ToWorker =
  | { readonly type: 'openLeg'; readonly leg: string }
  | { readonly type: 'setRemote'; readonly leg: string; readonly remote: RemoteMedia }
  | { readonly type: 'sendDtls'; readonly leg: string; readonly datagram: Uint8Array }
  | {
      readonly type: 'play';
      readonly leg: string;
      readonly play: number;
      readonly items: readonly PlayItem[];
      readonly isEndless: boolean;
      /** Infinity: no limit. */
      readonly maxMs: number;
      /** Of a conference: the only one who hears it. */
      readonly member?: number;
    }
  | { readonly type: 'stopPlay'; readonly leg: string; readonly play: number }
  | { readonly type: 'record'; readonly leg: string; readonly recording: number; readonly request: RecordRequest }
  | { readonly type: 'stopRecord'; readonly leg: string; readonly recording: number }
  | { readonly type: 'bridge'; readonly leg: string; readonly port: MessagePort }
  | { readonly type: 'bridgeLocal'; readonly leg: string; readonly peer: string }
  | { readonly type: 'unbridge'; readonly leg: string }
  | { readonly type: 'mute'; readonly leg: string; readonly way: 'read' | 'write'; readonly isMuted: boolean }
  | { readonly type: 'sendDigits'; readonly leg: string; readonly digits: string; readonly durationSamples: number }
  | { readonly type: 'listen'; readonly leg: string; readonly listen: number; readonly wish: ListenWish }
  | { readonly type: 'stopListen'; readonly leg: string; readonly listen: number }
  | { readonly type: 'report'; readonly leg: string; readonly query: number }
  | { readonly type: 'closeLeg'; readonly leg: string }
  | { readonly type: 'pauseRecord'; readonly leg: string; readonly recording: number; readonly isPaused: boolean }
  | { readonly type: 'openConference'; readonly leg: string }
  /** `from`: the name of a leg in the same thread. */
  | {
      readonly type: 'seat';
      readonly leg: string;
      readonly member: number;
      readonly settings: SeatSettings;
      readonly from: string | MessagePort;
    }
  | { readonly type: 'setSeat'; readonly leg: string; readonly member: number; readonly settings: SeatSettings }
  | { readonly type: 'leaveSeat'; readonly leg: string; readonly member: number }
  /** The other end of a seat in another thread. */
  | { readonly type: 'joinConference'; readonly leg: string; readonly port: MessagePort }
  | { readonly type: 'measure'; readonly query: number }
  | { readonly type: 'close' };

/** To one leg or conference that is there already. */
export type OnStation = Exclude<ToWorker, { readonly type: 'openLeg' | 'openConference' | 'measure' | 'close' }>;

export type FromWorker =
  | ({ readonly type: 'legOpened'; readonly leg: string } & LegPlace)
  | { readonly type: 'legRefused'; readonly leg: string; readonly reason: string }
  | { readonly type: 'playItemStarted'; readonly leg: string; readonly play: number; readonly name: string }
  | {
      readonly type: 'playItemStopped';
      readonly leg: string;
      readonly play: number;
      readonly name: string;
      readonly samples: number;
    }
  | {
      readonly type: 'playEnded';
      readonly leg: string;
      readonly play: number;
      readonly samples: number;
      readonly lastItemSamples: number;
    }
  | { readonly type: 'playRefused'; readonly leg: string; readonly play: number; readonly reason: string }
  | { readonly type: 'recordStarted'; readonly leg: string; readonly recording: number }
  | {
      readonly type: 'recordEnded';
      readonly leg: string;
      readonly recording: number;
      readonly ending: RecordEnding;
      readonly samples: number;
      readonly reason: string;
    }
  | {
      readonly type: 'digitHeard';
      readonly leg: string;
      readonly digit: string;
      readonly durationSamples: number;
      readonly ssrc: number;
      readonly timestamp: number;
    }
  | { readonly type: 'soundHeard'; readonly leg: string; readonly listen: number; readonly sound: HeardSound }
  | { readonly type: 'mediaSilent'; readonly leg: string; readonly silentMs: number }
  | { readonly type: 'dtlsHeard'; readonly leg: string; readonly datagram: Uint8Array }
  | { readonly type: 'qualityMeasured'; readonly leg: string; readonly quality: LegQuality }
  | { readonly type: 'rtcpHeard'; readonly leg: string; readonly news: RtcpNews }
  | {
      readonly type: 'memberTalking';
      readonly leg: string;
      readonly member: number;
      readonly isTalking: boolean;
      readonly energy: number;
    }
  | { readonly type: 'reported'; readonly leg: string; readonly query: number; readonly report: LegReport }
  /** The last report of a leg that had a port. */
  | { readonly type: 'legClosed'; readonly leg: string; readonly report: LegReport | undefined }
  | { readonly type: 'measured'; readonly query: number; readonly numbers: WorkerNumbers }
  | { readonly type: 'closed' };

/** What a worker does, and has done since it was started. */
export interface WorkerNumbers {
  readonly legs: number;
  readonly conferences: number;
  readonly recordings: number;
  /** That should be heard and are not. */
  readonly silentLegs: number;
  /** Legs by codec. */
  readonly codecs: Readonly<Record<string, number>>;
  /** Of all legs that ever were; the jitter is the greatest of those that are. */
  readonly counters: MediaCounters;
  /** Ticks of its clock by how late they came: at most each of LATE_BOUNDS_MS, and all. */
  readonly late: { readonly within: readonly number[]; readonly count: number; readonly sumMs: number };
  readonly cpuMs: number;
  /** How long legs lasted, together: CPU for a leg is the one by the other. */
  readonly legMs: number;
}

export const LATE_BOUNDS_MS: readonly number[] = [1, 2, 5, 10, 20, 50, 100];

export interface LegReport {
  /** It should be heard and is not. */
  readonly isSilent: boolean;
  readonly codec: string;
  readonly counters: MediaCounters;
  /** Of the whole call; undefined: there was nothing to hear. */
  readonly quality: LegQuality | undefined;
  readonly chain: string;
}

/** How the sound of one direction is, ITU-T G.107. Shares from 0 to 1. */
export interface OneWay {
  readonly lossShare: number;
  /** Came, but not in time to be heard. */
  readonly lateShare: number;
  /** RFC 3550 A.8. */
  readonly jitterMs: number;
  /** 0 to 93.2. */
  readonly r: number;
  readonly mos: number;
}

/** Of 5 s, or of all of a call. */
export interface LegQuality {
  /** What we hear. */
  readonly in: OneWay;
  /** What the other side says that it hears; undefined: it says nothing. */
  readonly out: OneWay | undefined;
  readonly roundTripMs: number | undefined;
  /** Variance of the delay, in ms²: of the quietest and of the most uneven 5 s. */
  readonly spread: { readonly min: number; readonly max: number };
  readonly meanIntervalMs: number;
  /** Share of the stretches of 5 s in which so much was lost that it is heard. */
  readonly burstShare: number;
  /** In the worst 5 s. */
  readonly worstMos: number;
}

/** Reports of the other side. */
export interface RtcpNews {
  readonly reports: readonly Report[];
  readonly roundTripMs: number | undefined;
}

export interface MediaCounters {
  readonly packetsIn: number;
  readonly bytesIn: number;
  readonly digitPacketsIn: number;
  readonly lostIn: number;
  /** Behind packets that are more than 60 ms younger. */
  readonly lateIn: number;
  readonly reorderedIn: number;
  readonly duplicatesIn: number;
  /** RFC 3550, in ms. */
  readonly jitterInMs: number;
  readonly foreignIn: number;
  readonly brokenIn: number;
  /** Of SRTP: made with another key, changed on the way, or heard before. */
  readonly unauthenticIn: number;
  readonly packetsOut: number;
  readonly bytesOut: number;
  /** RTCP, either way. */
  readonly controlIn: number;
  readonly controlOut: number;
  /** Packets that were missing and filled in for. */
  readonly concealed: number;
}

export const NO_COUNTERS: MediaCounters = {
  packetsIn: 0,
  bytesIn: 0,
  digitPacketsIn: 0,
  lostIn: 0,
  lateIn: 0,
  reorderedIn: 0,
  duplicatesIn: 0,
  jitterInMs: 0,
  foreignIn: 0,
  brokenIn: 0,
  unauthenticIn: 0,
  packetsOut: 0,
  bytesOut: 0,
  controlIn: 0,
  controlOut: 0,
  concealed: 0,
};

/** Of a leg that never was. */
export const NO_REPORT: LegReport = {
  isSilent: false,
  codec: 'none',
  counters: NO_COUNTERS,
  quality: undefined,
  chain: 'closed',
};

/** Handed to a worker when it starts. */
export interface WorkerSettings {
  readonly bindAddress: string;
  /** Even ports are tried from `from` to `to`; 0 and 0 take any free port. */
  readonly portsFrom: number;
  readonly portsTo: number;
  readonly mediaSilenceMs: number;
  readonly promptCacheBytes: number;
}
