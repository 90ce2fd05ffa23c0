import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlainSealer } from '../../telephony/index.ts';
import { PlainRecording } from '../../vault/index.ts';

/** How far a sealed message may be behind what was said. */
const lookEveryMs = 250;
/** A media server writes while it records: a file that does not grow for so long is complete. */
const growsWithinMs = 3000;

const every = (waitMs: number) => (look: () => void) => {
  const timer = setInterval(look, waitMs);
  timer.unref();
  return { cancel: () => clearInterval(timer) };
};

/** Seals while FreeSWITCH records. */
export const plainSealer: PlainSealer = {
  begin: (files, recipients) => follow(files, recipients),
};

export interface Leftovers {
  /** May be called twice. What is not sealed by then is left to the next start. */
  close(): void;
}

/**
 * Seals what a process that was killed has left in these folders; FreeSWITCH may go on recording meanwhile. Resolves when
 * all of them have been begun. Never rejects: `onTrouble` is told.
 */
export async function sealLeftovers(parts: {
  readonly folders: readonly string[];
  readonly pathOf: (messageId: string) => string;
  readonly recipients: readonly string[];
  readonly onTrouble: (error: unknown, file: string) => void;
}): Promise<Leftovers> {
  const watches = new Set<{ cancel(): void }>();
  const seal = async (plain: string, messageId: string): Promise<void> => {
    try {
      const recording = await follow({ plain, sealed: parts.pathOf(messageId) }, parts.recipients);
      let knownMs = -1;
      const watch = every(growsWithinMs)(() => {
        const isGrowing = recording.durationMs !== knownMs;
        knownMs = recording.durationMs;
        if (isGrowing) return;
        watch.cancel();
        watches.delete(watch);
        recording.finish().catch((error: unknown) => parts.onTrouble(error, plain));
      });
      watches.add(watch);
    } catch (error) {
      parts.onTrouble(error, plain);
    }
  };
  for (const folder of parts.folders) {
    for (const name of await namesIn(folder, parts.onTrouble)) {
      const [, messageId] = /^([A-Za-z0-9-]{1,64})\.r8$/.exec(name) ?? [];
      if (messageId !== undefined) await seal(join(folder, name), messageId);
    }
  }
  return {
    close() {
      for (const watch of watches) watch.cancel();
    },
  };
}

function follow(files: Parameters<PlainSealer['begin']>[0], recipients: readonly string[]): Promise<PlainRecording> {
  const metadata = { startedAt: new Date().toISOString() };
  return PlainRecording.open({ ...files, recipients, metadata, every: every(lookEveryMs) });
}

async function namesIn(folder: string, onTrouble: (error: unknown, file: string) => void): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    onTrouble(error, folder);
    return [];
  }
}
