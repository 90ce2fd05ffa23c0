/** mediad and FreeSWITCH as an app has them: legs by INVITE, everything else over the event socket. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { EslApplication, EslClient } from '../../support/esl-client.ts';
import { FreeSwitch } from '../../support/freeswitch.ts';
import { SECRET, startMediad } from '../../support/mediad-process.ts';
import { scratch } from '../../support/processes.ts';
import { SipCaller } from '../../support/sip-caller.ts';
import type { Teardown } from '../calls/systems.ts';
import type { RelayKind } from './relays.ts';
import { describeTalker, placeIn } from './talker-sdp.ts';
import type { Place, Talker } from './talkers.ts';

/** Legs of one call each have a port for RTP and one for RTCP. */
const PORTS_PER_CALL = 4;

export interface Leg {
  readonly uuid: string;
  /** Where its telephone sends to. */
  readonly place: Place;
  execute(app: string, arg: string): Promise<void>;
  hangUp(): Promise<void>;
}

export class MediaServer {
  readonly pid: number;
  /** Where a leg records to. */
  readonly recording: (leg: string) => string;
  readonly #sip: string;
  readonly #caller: SipCaller;
  readonly #application: EslApplication;
  readonly #control: EslClient;

  private constructor(
    about: { readonly pid: number; readonly sip: string; readonly recording: (leg: string) => string },
    parts: { readonly caller: SipCaller; readonly application: EslApplication; readonly control: EslClient },
  ) {
    this.pid = about.pid;
    this.recording = about.recording;
    this.#sip = about.sip;
    this.#caller = parts.caller;
    this.#application = parts.application;
    this.#control = parts.control;
  }

  /** `workers`: threads for sound. */
  static async mediad(t: Teardown, workers: number, maxChannels = 4000): Promise<MediaServer> {
    const sealTo = [await identityToRecipient(await generateX25519Identity())];
    const server = await startMediad({ sealTo, workers, maxChannels });
    t.teardown(() => server.stop());
    const recording = (leg: string) => join(server.recordings, `${leg}.sealed`);
    const about = { pid: server.process.pid ?? 0, sip: server.sipAddress, recording };
    return MediaServer.#open(t, about, server.eventSocketPort, SECRET);
  }

  static async freeswitch(t: Teardown, program: string, calls: number): Promise<MediaServer> {
    const server = await FreeSwitch.start(t, program, scratch(t, 'freeswitch'), calls * PORTS_PER_CALL + 10);
    const about = { pid: server.pid, sip: server.sip, recording: (leg: string) => join(server.plain, `${leg}.wav`) };
    return MediaServer.#open(t, about, server.ready.eventSocket.port, server.secret);
  }

  static async #open(
    t: Teardown,
    about: { readonly pid: number; readonly sip: string; readonly recording: (leg: string) => string },
    eventSocketPort: number,
    secret: string,
  ): Promise<MediaServer> {
    const parts = {
      caller: await SipCaller.open(),
      application: await EslApplication.open(),
      control: await EslClient.member(eventSocketPort, secret),
    };
    t.teardown(() => Object.values(parts).forEach((part) => part.close()));
    return new MediaServer(about, parts);
  }

  /** `call`: legs of one call have the same; the app says so by its Call-ID too. */
  async open(talker: Talker, call: string): Promise<Leg> {
    const headers = {
      'X-esl-outbound': this.#application.address,
      // As the client library names itself: FreeSWITCH takes no leg from anybody else.
      'User-Agent': `drachtio-fsmrf:${randomUUID()}`,
      'Call-ID': `${call}.${randomUUID()}`,
      ...(talker.key === undefined ? {} : { 'X-Secure-RTP': 'true' }),
    };
    const { response, call: leg } = await this.#caller.invite(
      `sip:drachtio@${this.#sip}`,
      headers,
      describeTalker(talker),
    );
    if (leg === undefined) throw new Error(`a leg was refused with ${response.status}`);
    leg.ack();
    const { esl, uuid } = await this.#application.accept();
    return {
      uuid,
      place: placeIn(response.body.toString()),
      async execute(app, arg) {
        await esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: ${app}\nexecute-app-arg: ${arg}`);
      },
      async hangUp() {
        const ended = leg.ended();
        leg.bye();
        await ended;
        esl.close();
      },
    };
  }

  async bridge(a: Leg, b: Leg): Promise<void> {
    await this.#control.api(`uuid_bridge ${a.uuid} ${b.uuid}`);
  }
}

export function mediad(workers = 1): RelayKind {
  return {
    name: workers === 1 ? 'mediad' : `mediad, ${workers} threads`,
    configuration: `workers: ${workers}; legs answered by SIP and bridged over the event socket`,
    canEncrypt: true,
    start: async (t) => bridging(await MediaServer.mediad(t, workers)),
  };
}

export function freeswitch(program: string): RelayKind {
  return {
    name: 'FreeSWITCH',
    configuration: 'freeswitch-conf/, the same app in front',
    canEncrypt: true,
    start: async (t, calls) => bridging(await MediaServer.freeswitch(t, program, calls)),
  };
}

function bridging(server: MediaServer): Awaited<ReturnType<RelayKind['start']>> {
  return {
    pid: server.pid,
    async connect(calls) {
      const places: (readonly [Place, Place])[] = [];
      for (const [a, b] of calls) {
        const call = randomUUID();
        const legs = [await server.open(a, call), await server.open(b, call)] as const;
        await server.bridge(legs[0], legs[1]);
        places.push([legs[0].place, legs[1].place]);
      }
      return places;
    },
  };
}
