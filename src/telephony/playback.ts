import path from 'node:path';
import type { MessageKey } from './ports.ts';

/** How a media server plays a sealed message. Nothing of it lies on a disk in clear, either way. */
export interface Playback {
  /** What the server plays in a list of prompts, once, for this endpoint. Rejects with why it cannot. */
  lend(uuid: string, messageId: string): Promise<string>;
}

/** mediad opens it while it plays; it is lent the key of this one message, for one time. `folder` as it sees it. */
export function openedByServer(parts: {
  readonly folder: string;
  readonly messageKey: MessageKey;
  /** Resolves with the body of the answer. */
  readonly api: (command: string) => Promise<string>;
}): Playback {
  return {
    async lend(uuid, messageId) {
      const key = Buffer.from(await parts.messageKey(messageId));
      const file = path.posix.join(parts.folder, `${messageId}.sealed`);
      const answer = await parts.api(`wardline_lend ${uuid} ${file} ${key.toString('base64url')}`);
      key.fill(0);
      const word = /^\+OK ([0-9a-f]+)/.exec(answer)?.[1];
      if (word === undefined) throw new Error(`the media server cannot play it: ${answer.trim()}`);
      return `sealed://${word}`;
    },
  };
}

/** FreeSWITCH cannot open what is sealed. */
export function notPlayed(server: string): Playback {
  const why = `media server ${server} cannot play sealed messages; "wardline voicemail export" and mediad can`;
  return { lend: () => Promise.reject(new Error(why)) };
}
