import { open } from 'node:fs/promises';

/** Makes it durable which names are in a folder. Rejects with Node's error. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
