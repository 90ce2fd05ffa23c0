import path from 'node:path';
import type { PlainSealer } from './ports.ts';

/** A message that is about to be recorded. */
export interface Taking {
  /** As the media server is told. */
  readonly file: string;
  /** Variables of the channel to set before. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  /**
   * To be called when the media server has ended it. Resolves when the sealed file is complete, with the milliseconds of
   * sound in it; null: the media server has sealed it and knows. Rejects when it could not be sealed.
   */
  complete(): Promise<number | null>;
}

/** How a media server gets a message onto the disk. Only sealed, either way. */
export interface Recordings {
  /** `name` ends in ".sealed". Rejects when nothing can be recorded. */
  begin(name: string, sealTo: readonly string[]): Promise<Taking>;
}

/** mediad seals while it records. `folder` as it sees it. */
export function sealedByServer(folder: string): Recordings {
  return {
    async begin(name, sealTo) {
      return {
        file: path.posix.join(folder, name),
        variables: [['wardline_seal_to', sealTo.join(',')]],
        complete: async () => null,
      };
    },
  };
}

/** FreeSWITCH cannot seal: it writes samples into memory, and we seal them while they come (docs/adr). */
export function sealedByUs(folders: {
  /** In memory, as we see it. */
  readonly plain: string;
  /** The same as the server sees it. */
  readonly plainThere: string;
  readonly sealed: string;
  readonly sealer: PlainSealer;
}): Recordings {
  return {
    async begin(name, sealTo) {
      const plain = name.replace(/\.sealed$/, '.r8');
      const files = { plain: path.join(folders.plain, plain), sealed: path.join(folders.sealed, name) };
      const sealing = await folders.sealer.begin(files, sealTo);
      return {
        file: path.posix.join(folders.plainThere, plain),
        variables: [],
        complete: () => sealing.finish(),
      };
    },
  };
}
