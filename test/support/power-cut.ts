/** A disk that loses power: of what was written and not synced any sector may have reached it, and any may not. */
const SECTOR = 512;

/** How many cuts a run tries, and with which seed it begins, so that very many can be tried in several runs. */
export const CUTS = Number(process.env['WARDLINE_POWER_CUTS'] ?? 150);
export const FIRST_CUT = Number(process.env['WARDLINE_FIRST_POWER_CUT'] ?? 1);

/** The seeds of a run. */
export function* cuts(): Generator<number> {
  for (let seed = FIRST_CUT; seed < FIRST_CUT + CUTS; seed++) yield seed;
}

/** mulberry32: the same cut for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `written` with `synced` bytes for sure and, of the others, any sectors, also half of one. */
export function someSectors(written: Buffer, synced: number, random: () => number): Buffer {
  const bytes = Buffer.from(written);
  for (let at = Math.ceil(synced / SECTOR) * SECTOR; at < bytes.length; at += SECTOR) {
    const end = Math.min(bytes.length, at + SECTOR);
    // Never reached the disk, or only to its middle.
    if (random() < 0.4) bytes.fill(0, random() < 0.3 ? Math.min(end, at + Math.floor(random() * SECTOR)) : at, end);
  }
  return bytes;
}
