import type { MetricsServer } from '../observe/index.ts';
import { createHmac } from 'node:crypto';
import {
  describe,
  type Dialog,
  type Logger,
  type Network,
  SipEndpoint,
  systemClock,
  systemNetwork,
  systemRandom,
} from '../sip/index.ts';
import { Admission } from './admission/admission.ts';
import { appLoad, noteLoad } from './app-load.ts';
import { AppRegistry } from './app-registry.ts';
import { CallRecords } from './call-records.ts';
import { CertificateFiles } from './certificate-files.ts';
import type { AppConnection } from './control/app-connection.ts';
import { parseAppMessage } from './control/app-message.ts';
import { type AppCommand, ControlServer } from './control/control-server.ts';
import { DialogBook } from './dialog-book.ts';
import type { DialogJournal } from './dialog-journal.ts';
import { Inbound } from './inbound.ts';
import { KernelQueue } from './kernel-queue.ts';
import { metricsText } from './metrics-text.ts';
import { numbersOf, type SipdMetrics } from './numbers.ts';
import type { SipdOptions } from './options.ts';
import { reserve } from './reserve.ts';
import { keepDialogs } from './kept-dialogs.ts';
import { Outbound, type Reply } from './outbound.ts';
import { Proxies } from './proxies.ts';
import { RegisteredFlows } from './registered-flows.ts';
import { recordKinds, verbs } from './verbs.ts';
import { Witnesses } from './witnesses.ts';

/** Where a running sipd can be reached: `sip` as `udp/127.0.0.1:5060`. */
export interface SipdAddresses {
  readonly control: { readonly host: string; readonly port: number };
  readonly sip: readonly string[];
  readonly metrics?: { readonly host: string; readonly port: number };
}

// The version apps look at: from v0.8.2 on they may ping.
const protocolVersion = 'v0.9.9';

/** Extensions a peer may require: those that an app can serve without more than it is shown. */
const supported = ['100rel', 'timer', 'replaces', 'norefersub', 'tdialog', 'histinfo'] as const;

/** How long goodbyes may take. */
const partingMs = 2_000;

/**
 * The signalling daemon: a SIP endpoint whose decisions are made by the apps at its control port.
 *
 * It speaks drachtio's control protocol, and differs from drachtio-server where that one would lose a call:
 * nothing is done for an app that has not logged in; dialogs belong to the app's tag and outlive its connection, a BYE
 * in the meantime is answered and told later, new calls wait a few seconds; an app that stays silent is answered for
 * (480, 408); a CANCEL that crosses our 200 gets 200 and changes nothing (RFC 3261 9.2); REFER outside a dialog is
 * shown; a merged request gets 482; a required extension that nobody here serves gets 420;
 * what an app proxies and stays in goes on without any app, and only what carries our own mark is passed on.
 */
export class SipdServer {
  readonly #endpoint: SipEndpoint;
  readonly #control: ControlServer;
  readonly #dialogs: DialogBook;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #certificates: CertificateFiles | undefined;
  readonly #admission: Admission;
  readonly #kernel: KernelQueue;
  #metricsServer: MetricsServer | undefined;
  readonly #proxies: Proxies;
  readonly #journal: DialogJournal | undefined;
  readonly #witnesses: Witnesses;
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    endpoint: SipEndpoint;
    control: ControlServer;
    dialogs: DialogBook;
    inbound: Inbound;
    outbound: Outbound;
    certificates: CertificateFiles | undefined;
    admission: Admission;
    kernel: KernelQueue;
    proxies: Proxies;
    journal: DialogJournal | undefined;
    witnesses: Witnesses;
  }) {
    this.#witnesses = parts.witnesses;
    this.#journal = parts.journal;
    this.#proxies = parts.proxies;
    this.#endpoint = parts.endpoint;
    this.#control = parts.control;
    this.#dialogs = parts.dialogs;
    this.#inbound = parts.inbound;
    this.#outbound = parts.outbound;
    this.#certificates = parts.certificates;
    this.#admission = parts.admission;
    this.#kernel = parts.kernel;
  }

  /** Opens all ports. Rejects with a sentence that names the address, the reason and the remedy. */
  static async open(options: SipdOptions, logger: Logger, network: Network = systemNetwork): Promise<SipdServer> {
    const clock = systemClock;
    const random = systemRandom;
    const dialogs = new DialogBook();
    const flows = new RegisteredFlows(clock);
    const connections = new Set<AppConnection>();
    const apps = new AppRegistry(connections);
    const udpPorts = new Set<number>();
    const kernel = new KernelQueue(udpPorts);
    const admission = new Admission({
      clock,
      limits: options.limits,
      dialogs: () => dialogs.size,
      appLoad: () => appLoad(connections, clock.now()),
      unreadShare: () => {
        // Of the look before: this one is not waited for.
        void kernel.look();
        return kernel.share;
      },
    });
    const records = new CallRecords(apps, clock);
    const inbound = new Inbound({ apps, dialogs, records, flows, admission, clock, random, options });
    const { t1Ms, t2Ms, t4Ms } = options.timers;
    const certificates = options.tls === undefined ? undefined : new CertificateFiles(options.tls);
    const witnesses = await Witnesses.open(options, clock, network);
    const endpoint = await SipEndpoint.open({
      tap: witnesses.tap,
      listen: options.sip,
      advertisedHost: options.advertisedHost,
      supported,
      sessionTimers: true,
      timers: { t1: t1Ms, t2: t2Ms, t4: t4Ms },
      limits: options.limits,
      tls: certificates?.credentials,
      webOrigins: options.webOrigins,
      network,
      admission,
      logger,
      // The same after a restart, and nothing that leads back to the secret.
      relayKey: createHmac('sha256', options.secret).update('record-route').digest(),
      handlers: {
        onRequest: (incoming) => inbound.onRequest(incoming),
        onCancelled: (incoming, by) => inbound.onCancelled(incoming, by),
        onAck: (dialog, ack, from) => inbound.onAck(dialog, ack, from),
        onDialogEnded: (dialog, ending) => inbound.onDialogEnded(dialog, ending),
        onPassed: (request) => {
          if (request.method === 'BYE') records.stop('network', 'normal-release', request);
        },
      },
    });
    for (const { protocol, port } of endpoint.addresses) if (protocol === 'udp') udpPorts.add(port);
    // At once, before anybody can ask for them.
    const { stateFile: path, secret } = options;
    const now = () => clock.now();
    const journal = path === undefined ? undefined : keepDialogs({ path, secret, endpoint, dialogs, now, logger });
    const outbound = new Outbound({
      endpoint: () => endpoint,
      dialogs,
      records,
      flows,
      clock,
      random,
      ackWithinMs: 32 * t1Ms,
    });
    const addresses = endpoint.visibleAddresses.map(describe).join(',');
    try {
      const control = await ControlServer.open({
        listen: options.control,
        secret: options.secret,
        maxConnections: options.limits.controlConnections,
        logger,
        uuid: () => random.uuid(),
        greeting: () => `${advertised(endpoint, options)}|${protocolVersion}|${addresses}`,
        onCommand: (app, command) => server.#command(app, command),
        onGone: (app) => server.#gone(app, logger),
        connections,
      });
      const proxies = new Proxies({ endpoint, inbound, flows, records, clock });
      const server = new SipdServer({
        journal,
        endpoint,
        control,
        dialogs,
        inbound,
        outbound,
        proxies,
        certificates,
        admission,
        kernel,
        witnesses,
      });
      if (options.metrics !== undefined) {
        // Not before: what else is published there takes long to load.
        const { MetricsServer } = await import('../observe/index.ts');
        server.#metricsServer = await MetricsServer.open(options.metrics, () => server.metricsText);
      }
      certificates?.watch(clock, logger, (credentials) => endpoint.renewCredentials(credentials));
      return server;
    } catch (error) {
      admission.close();
      witnesses.close();
      endpoint.close();
      throw error;
    }
  }

  get addresses(): SipdAddresses {
    const metrics = this.#metricsServer?.address;
    const sip = this.#endpoint.addresses.map(describe);
    return { control: this.#control.address, sip, ...(metrics && { metrics }) };
  }

  get metrics(): SipdMetrics {
    return {
      apps: this.#control.connections.size,
      ownedDialogs: this.#dialogs.size,
      requestsRunning: this.#outbound.count,
      ...this.#inbound.counts,
      ...numbersOf(this.#endpoint, this.#admission, this.#kernel),
    };
  }

  /** For Prometheus. */
  get metricsText(): string {
    const { traffic, transactionStates: transactions } = this.#endpoint;
    return metricsText({ numbers: this.metrics, traffic, transactions });
  }

  /** Refuses what waits, cancels what rings, ends what talks, and closes; at most two seconds. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#part();
    return this.#closing;
  }

  /** Closes without a word to anybody: the next sipd under this address goes on with what is in the state file. */
  leave(): void {
    this.#closing ??= Promise.resolve(this.#shut());
  }

  async #part(): Promise<void> {
    this.#inbound.close();
    this.#outbound.close();
    const goodbyes: Promise<void>[] = [];
    for (const { dialog } of this.#dialogs.all()) {
      if (dialog.state === 'confirmed' && dialog.createdBy === 'INVITE') goodbyes.push(goodbye(dialog));
    }
    const patience = new Promise<void>((resolve) => {
      setTimeout(resolve, partingMs).unref();
    });
    await Promise.race([Promise.all(goodbyes), patience]);
    for (const { dialog } of this.#dialogs.all()) this.#dialogs.drop(dialog);
    this.#shut();
  }

  #shut(): void {
    this.#certificates?.close();
    this.#admission.close();
    this.#metricsServer?.close();
    this.#journal?.close();
    this.#witnesses.close();
    this.#control.close();
    this.#endpoint.close();
  }

  #command(app: AppConnection, command: AppCommand): void {
    const { id, name, tokens } = command;
    switch (name) {
      case 'route':
        return this.#route(app, id, tokens[0] ?? '');
      case 'remove_route':
        app.verbs.delete(tokens[0] ?? '');
        app.recordKinds.delete(tokens[0] ?? '');
        return app.reply(id, 'OK');
      case 'ping':
        return app.reply(id, 'OK|pong');
      case 'sip': {
        const { tokens: answer, message } = this.#sip(app, command);
        return app.reply(id, answer, message);
      }
      case 'reserve':
        return app.reply(id, reserve(this.#admission, app, command.message));
      case 'load': {
        const isNoted = noteLoad(app, tokens, systemClock.now());
        return app.reply(id, isNoted ? 'OK|load' : 'NOK|load wants milliseconds');
      }
      case 'ladder': {
        const { tokens: answer, message } = this.#witnesses.ladder(command.message);
        return app.reply(id, answer, message);
      }
      case 'proxy':
        return this.#proxies.run(app, command);
      default:
        app.reply(id, 'NO|Unknown message type');
        return app.close();
    }
  }

  #route(app: AppConnection, id: string, verb: string): void {
    if (recordKinds.has(verb)) {
      app.recordKinds.add(verb);
      return app.reply(id, 'OK');
    }
    if (!verbs.has(verb)) return app.reply(id, 'NOK|this server does not route that verb');
    const isFirst = app.verbs.size === 0;
    app.verbs.add(verb);
    app.reply(id, 'OK');
    this.#inbound.onRoute(app, verb, isFirst);
  }

  #sip(app: AppConnection, command: AppCommand): Reply {
    const [txnId = '', dialogId = '', proxy] = command.tokens;
    const message = command.message === undefined ? undefined : parseAppMessage(command.message);
    if (message === undefined) return { tokens: 'NOK|not a SIP message' };
    if (message.kind === 'response') return this.#inbound.respond(txnId, message);
    if (dialogId !== '') return this.#outbound.requestInDialog(app, message, dialogId);
    if (txnId !== '' && message.method === 'CANCEL') return this.#outbound.cancel(txnId, message);
    return this.#outbound.request(app, message, proxy);
  }

  #gone(app: AppConnection, logger: Logger): void {
    logger.info({ tag: app.tag }, 'app gone');
    this.#admission.appGone(app);
    this.#inbound.onGone(app);
    this.#outbound.onGone(app);
  }
}

function advertised(endpoint: SipEndpoint, options: SipdOptions): string {
  return endpoint.visibleAddresses
    .map((address) => describe({ ...address, host: options.advertisedHost ?? address.host }))
    .join(',');
}

function goodbye(dialog: Dialog): Promise<void> {
  return new Promise((resolve) => {
    dialog.bye({}, { onResponse: (response) => void (response.status >= 200 && resolve()) });
  });
}
