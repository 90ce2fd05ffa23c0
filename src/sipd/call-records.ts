import {
  type Clock,
  type Dialog,
  type DialogEnding,
  serialise,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  toTagOf,
} from '../sip/index.ts';
import type { AppRegistry } from './app-registry.ts';
import { timeToken } from './control/meta.ts';

/** Whether a message came from a peer or was sent by us. */
export type RecordSource = 'network' | 'application';
export type CallRole = 'uac' | 'uas' | 'proxy-uac' | 'proxy-uas';
export type CallStopReason = 'call-rejected' | 'call-canceled' | 'normal-release' | 'session-expired' | 'ackbye';

/** Tells the apps that asked for them of calls that were tried, began and ended: `cdr:attempt`, `cdr:start`, `cdr:stop`. */
export class CallRecords {
  readonly #apps: AppRegistry;
  readonly #clock: Clock;

  constructor(apps: AppRegistry, clock: Clock) {
    this.#apps = apps;
    this.#clock = clock;
  }

  attempt(source: RecordSource, invite: SipMessage): void {
    this.#tell('cdr:attempt', source, '', invite);
  }

  start(source: RecordSource, role: CallRole, answer: SipMessage): void {
    this.#tell('cdr:start', source, `|${role}`, answer);
  }

  stop(source: RecordSource, reason: CallStopReason, last: SipMessage): void {
    this.#tell('cdr:stop', source, `|${reason}`, last);
  }

  /** Our answer to an INVITE; one in a dialog makes no call. */
  answered(request: SipRequest, answer: SipResponse): void {
    if (request.method !== 'INVITE' || toTagOf(request) !== '') return;
    if (answer.status < 300) this.start('application', 'uas', answer);
    else this.failed('application', answer);
  }

  ended(dialog: Dialog, ending: DialogEnding): void {
    if (dialog.createdBy !== 'INVITE' || ending.why === 'subscriptionEnded') return;
    const { source, reason } = endings[ending.why];
    this.stop(source, reason, ending.bye);
  }

  /** A call that was never answered. */
  failed(source: RecordSource, final: SipResponse): void {
    this.stop(source, final.status === 487 ? 'call-canceled' : 'call-rejected', final);
  }

  #tell(kind: string, source: RecordSource, rest: string, message: SipMessage): void {
    const app = this.#apps.next(kind);
    app?.tell(`${kind}|${source}|${timeToken(this.#clock.now())}${rest}`, serialise(message));
  }
}

type Ended = Exclude<DialogEnding['why'], 'subscriptionEnded'>;

const endings: Readonly<Record<Ended, { readonly source: RecordSource; readonly reason: CallStopReason }>> = {
  byeReceived: { source: 'network', reason: 'normal-release' },
  byeSent: { source: 'application', reason: 'normal-release' },
  ackTimeout: { source: 'application', reason: 'ackbye' },
  sessionExpired: { source: 'application', reason: 'session-expired' },
};
