import { createHash } from 'node:crypto';
import t from 'tap';
import {
  type Dialog,
  type IncomingRequest,
  type Random,
  type RequestInFlight,
  SipEndpoint,
  type SipResponse,
} from '../../src/sip/index.ts';
import { Dice } from '../fuzz/mutator.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

// Two endpoints call each other over a network that loses, doubles, delays and so reorders. Whatever it does: each request
// ends exactly once, each dialog ends once on each side, and afterwards nothing is left. A seed is one story, and the same each time.

const seeds = Number(process.env['WARDLINE_SIP_SEEDS'] ?? 10_000);
const firstSeed = Number(process.env['WARDLINE_SIP_SEED'] ?? 1);

interface Party {
  readonly endpoint: SipEndpoint;
  readonly port: number;
  readonly dialogs: Set<Dialog>;
  readonly faults: string[];
  onRequest(incoming: IncomingRequest): void;
}

class World {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork(this.clock);
  dice = new Dice(0);
  #tokens = 0;
  readonly #random: Random = {
    token: () => `t${(this.#tokens += 1)}x${this.dice.below(1e9)}`,
    uuid: () => `u${(this.#tokens += 1)}`,
    below: (limit) => this.dice.below(limit),
  };

  static async open(): Promise<{ world: World; alice: Party; bob: Party }> {
    const world = new World();
    return { world, alice: await world.#party(), bob: await world.#party() };
  }

  begin(seed: number): void {
    this.dice = new Dice(seed);
    this.#tokens = 0;
    this.network.packets.length = 0;
    const [lost, doubled, slow] = [this.dice.below(50), this.dice.below(30), this.dice.below(400)];
    const delayMs = () => 1 + (this.dice.below(4) === 0 ? this.dice.below(slow + 1) : 0);
    this.network.copies = () => {
      if (this.dice.below(100) < lost) return [];
      return this.dice.below(100) < doubled ? [delayMs(), delayMs()] : [delayMs()];
    };
  }

  later(withinMs: number, action: () => void): void {
    this.clock.after(this.dice.below(withinMs), action);
  }

  /** Of everything that was sent since `begin`. */
  digest(startMs: number): string {
    const lines = this.network.packets.map(({ atMs, from, to, text }) => `${atMs - startMs} ${from} ${to}\n${text}`);
    return createHash('sha256').update(lines.join('\n')).digest('hex');
  }

  async #party(): Promise<Party> {
    const dialogs = new Set<Dialog>();
    const faults: string[] = [];
    const endpoint: SipEndpoint = await SipEndpoint.open({
      listen: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
      handlers: {
        onRequest: (incoming) => party.onRequest(incoming),
        // A re-INVITE that is taken back leaves its dialog as it was.
        onCancelled: ({ dialog }) =>
          void (dialog !== undefined && dialog.state !== 'confirmed' && dialogs.delete(dialog)),
        onAck() {},
        onDialogEnded: (dialog) => {
          if (!dialogs.delete(dialog)) faults.push('a dialog ended that nobody knew, or twice');
        },
      },
      clock: this.clock,
      network: this.network,
      random: this.#random,
      logger: { info() {}, warn() {}, error: ({ error }) => void faults.push(String(error)) },
    });
    const party: Party = { endpoint, port: endpoint.addresses[0]?.port ?? 0, dialogs, faults, onRequest() {} };
    return party;
  }
}

/** What may go wrong is told by name; nothing: the story ended well. */
async function story(seed: number, { world, alice, bob }: Awaited<ReturnType<typeof World.open>>): Promise<string[]> {
  world.begin(seed);
  const { dice, clock } = world;
  const finals = new Map<string, number>();
  const faults: string[] = [];
  const placed: RequestInFlight[] = [];
  const ended = (what: string, { status }: SipResponse) => {
    if (status >= 200) finals.set(what, (finals.get(what) ?? 0) + 1);
  };
  const talk = (party: Party, dialog: Dialog) => {
    if (dice.below(3) > 0) {
      world.later(20_000, () => {
        if (dialog.state !== 'confirmed') return;
        const name = `${dialog.role} ${dialog.callId} INFO`;
        dialog.request('INFO', {}, { onResponse: (response) => ended(name, response) });
        finals.set(name, 0);
      });
    }
    if (dice.below(4) === 0) {
      world.later(20_000, () => {
        if (dialog.state !== 'confirmed' || dialog.openInvite !== undefined) return;
        const name = `${dialog.role} ${dialog.callId} re-INVITE`;
        const again = dialog.request(
          'INVITE',
          {},
          {
            onResponse: (response) => {
              ended(name, response);
              if (response.status >= 200 && response.status < 300) dialog.ack();
            },
          },
        );
        placed.push(again);
        finals.set(name, 0);
      });
    }
    if (dice.below(2) === 0) world.later(40_000, () => void (dialog.state === 'confirmed' && hangUp(dialog)));
    party.dialogs.add(dialog);
  };
  const hangUp = (dialog: Dialog) => {
    const name = `${dialog.role} ${dialog.callId} BYE`;
    // Also before the ACK, which RFC 3261 15 forbids: the answer may be lost, or be overtaken by this.
    if (finals.has(name)) return;
    finals.set(name, 0);
    dialog.bye({}, { onResponse: (response) => ended(name, response) });
  };
  const final = dice.of([200, 200, 200, 200, 486, 503, 302]);
  const ringMs = dice.below(4_000);
  bob.onRequest = (incoming) => {
    if (incoming.dialog !== undefined) return void incoming.respond(200);
    if (dice.below(2) === 0) incoming.respond(180);
    world.later(ringMs + 1, () => {
      const sent = incoming.respond(final);
      if (sent !== undefined && final < 300 && incoming.dialog !== undefined) talk(bob, incoming.dialog);
    });
  };
  alice.onRequest = (incoming) => void incoming.respond(200);
  const calls = 1 + dice.below(2);
  for (let i = 0; i < calls; i++) {
    const name = `INVITE ${i}`;
    finals.set(name, 0);
    const result = alice.endpoint.request(
      { method: 'INVITE', uri: `sip:bob@127.0.0.1:${bob.port}` },
      {
        onResponse: (response, { dialog }) => {
          ended(name, response);
          if (response.status < 200 || response.status >= 300 || dialog === undefined) return;
          talk(alice, dialog);
          dialog.ack();
        },
      },
    );
    if (result.kind !== 'sent') continue;
    placed.push(result.outgoing);
    if (dice.below(4) === 0) world.later(5_000, () => result.outgoing.cancel());
  }
  const option = alice.endpoint.request(
    { method: 'OPTIONS', uri: `sip:bob@127.0.0.1:${bob.port}` },
    { onResponse: (response) => ended('OPTIONS', response) },
  );
  finals.set('OPTIONS', option.kind === 'sent' ? 0 : 1);
  clock.advance(110_000);
  // The network recovers, whoever still hears it ring gives up (RFC 3261 has no timer for that), and whoever talks hangs up.
  world.network.copies = () => [1];
  for (const outgoing of placed) outgoing.cancel();
  for (const party of [alice, bob]) for (const dialog of party.dialogs) hangUp(dialog);
  clock.advance(110_000);
  for (const [name, count] of finals) if (count !== 1) faults.push(`${name} ended ${count} times`);
  for (const [name, party] of Object.entries({ alice, bob })) {
    faults.push(...party.faults.splice(0));
    const { dialogs, clients, servers } = party.endpoint.counts;
    if (dialogs + clients + servers > 0) faults.push(`${name} keeps ${JSON.stringify(party.endpoint.counts)}`);
    if (party.dialogs.size > 0) faults.push(`${name} was not told of the end of ${party.dialogs.size} dialogs`);
    party.dialogs.clear();
  }
  if (clock.pending > 0) faults.push(`${clock.pending} timers are left`);
  return faults;
}

t.test(`${seeds} stories over a network that loses, doubles and reorders end well`, async (t) => {
  let parts = await World.open();
  let told = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const faults = await story(seed, parts);
    told += parts.world.network.packets.length;
    if (faults.length === 0) continue;
    t.fail(`WARDLINE_SIP_SEED=${seed} WARDLINE_SIP_SEEDS=1: ${faults.join('; ')}`);
    parts = await World.open();
    if (t.counts.fail > 5) break;
  }
  t.ok(told > seeds * 4, `${told} messages`);
});

t.test('a seed is the same story each time, byte for byte', async (t) => {
  for (const seed of [1, 77, 4_242]) {
    const digests: string[] = [];
    for (let i = 0; i < 2; i++) {
      const parts = await World.open();
      await story(seed, parts);
      digests.push(parts.world.digest(0));
    }
    t.equal(digests[0], digests[1]);
  }
});
