import { reasonPhrase } from '../sip/index.ts';
import type { Rung } from '../sipd/options.ts';

/** One end that sipd talked to. */
export interface Party {
  /** "A" */
  readonly letter: string;
  /** "udp 192.0.2.10:5060" */
  readonly place: string;
  /** "calls as 2101" */
  readonly role: string;
}

export interface Drawn {
  readonly parties: readonly Party[];
  readonly lines: readonly string[];
  /** What stands beside the arrows, one for each rung. */
  readonly labels: readonly string[];
}

const columns = 80;
const timeColumns = 11;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** Of the columns between two lines, the most that leave words enough to the right. */
const gapFor = (parties: number): number =>
  Math.max(2, Math.min(5, Math.floor((columns - timeColumns - 28) / parties)));
/** Phones beyond these stand in the list above and are named beside their arrow. */
const maxLines = 18;

/** A line for each message, one column for each party and sipd on the left. `roleOf`: what is known of a place. */
export function drawLadder(rungs: readonly Rung[], roleOf: (place: string) => string | null): Drawn {
  const places = [...new Set(rungs.map(placeOf))];
  const parties = places.map((place, i): Party => {
    const asked = rungs.find((rung) => placeOf(rung) === place && rung.method === 'INVITE' && rung.status === null);
    return { letter: letterOf(i), place, role: roleOf(place) ?? roleIn(asked) };
  });
  const shown = Math.min(parties.length, maxLines);
  const gap = gapFor(Math.max(1, shown));
  const head = ['    AFTER  S', ...parties.slice(0, shown).map(({ letter }) => letter.padStart(gap))].join('');
  const firstMs = rungs[0]?.atMs ?? 0;
  const seen = new Set<string>();
  const labels: string[] = [];
  const lines = rungs.map((rung) => {
    const at = places.indexOf(placeOf(rung));
    const id = `${rung.isSent} ${placeOf(rung)} ${rung.sameness}`;
    const label = [words(rung), seen.has(id) ? 'again' : ''].filter(Boolean).join(', ');
    seen.add(id);
    labels.push(label);
    const after = ((rung.atMs - firstMs) / 1000).toFixed(3).padStart(9);
    const beyond = at < shown ? '' : `${letterOf(at)}: `;
    return `${after}  ${arrow(rung.isSent, Math.min(at, shown - 1), shown, gap)}  ${beyond}${label}`.slice(0, columns);
  });
  return { parties, lines: [head, ...lines], labels };
}

/** "|---->    |" from the first line to that of the party. */
function arrow(isSent: boolean, at: number, shown: number, gap: number): string {
  const marks: string[] = Array.from({ length: shown * gap + 1 }, (_, i) => (i % gap === 0 ? '|' : ' '));
  const end = (at + 1) * gap;
  for (let i = 1; i < end; i++) marks[i] = '-';
  if (isSent) marks[end - 1] = '>';
  else marks[1] = '<';
  return marks.join('');
}

/** "INVITE 2102, SDP", "180 Ringing", "200 OK to BYE". */
function words({ method, status, asked, hasSdp, reason }: Rung): string {
  const sdp = hasSdp ? ['SDP'] : [];
  if (status === null) {
    const to = method === 'INVITE' && asked !== '' ? ` ${asked}` : '';
    return [`${method}${to}`, ...sdp, ...(reason === null ? [] : [reason])].join(', ');
  }
  const says = reasonPhrase(status);
  return [`${status} ${says}${method === 'INVITE' ? '' : ` to ${method}`}`, ...sdp].join(', ');
}

function roleIn(invite: Rung | undefined): string {
  if (invite === undefined) return '';
  const [verb, as] = invite.isSent ? ['rung', invite.asked] : ['calls', invite.from];
  return as === '' ? verb : `${verb} as ${as}`;
}

export function placeOf({ protocol, remote }: Rung): string {
  return `${protocol} ${remote}`;
}

/** A … Z, AA, AB, … */
function letterOf(i: number): string {
  const last = letters[i % letters.length] ?? '';
  return i < letters.length ? last : `${letterOf(Math.floor(i / letters.length) - 1)}${last}`;
}
