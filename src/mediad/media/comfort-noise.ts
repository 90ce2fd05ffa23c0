/** Comfort noise, RFC 3389: the level of what is in the background while nobody speaks. */

/** Nobody's background is louder; a sender that says so must not deafen anybody. */
const LOUDEST_DBOV = 30;
const SILENT_DBOV = 127;

/** In -dBov, 30 to 127; the shape of the spectrum is not kept. undefined: nothing is said. */
export function readNoise(payload: Buffer): number | undefined {
  const level = payload[0];
  return level === undefined ? undefined : Math.min(SILENT_DBOV, Math.max(LOUDEST_DBOV, level & 0x7f));
}

export function writeNoise(level: number): Buffer {
  return Buffer.of(level);
}

/** White noise of this level. */
export function fillNoise(samples: Int16Array, level: number, random: () => number): void {
  // Of what is even between -a and a the mean square is a²/3.
  const peak = level >= SILENT_DBOV ? 0 : 32_767 * 10 ** (-level / 20) * Math.sqrt(3);
  for (let i = 0; i < samples.length; i++) samples[i] = (2 * random() - 1) * peak;
}
