import { createHash, randomFillSync } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PortError } from '../engine/ports.ts';
import { HEADER_BYTES } from './container.ts';
import { syncFolder } from './sync-folder.ts';

const PIECE_BYTES = 256 * 1024;

/**
 * Makes a sealed file unreadable for everybody: both slots with its wrapped key are written over and synced before the file
 * is removed, for a removed file may still be found on a disk. Resolves with the SHA-256 of what it was (hex), for the
 * receipt; null when it was gone already. Rejects with PortError storeUnavailable.
 */
export async function shredSealed(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r+');
    let digest: string;
    try {
      digest = await digestOf(file);
      const { size } = await file.stat();
      await file.write(randomFillSync(Buffer.alloc(Math.min(size, HEADER_BYTES))), 0, undefined, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await unlink(path);
    await syncFolder(dirname(path));
    return digest;
  } catch (cause) {
    const code = String((cause as { code?: unknown }).code ?? cause);
    if (code === 'ENOENT') return null;
    throw new PortError('storeUnavailable', {
      cause,
      says: `the message ${path} cannot be shredded (${code}); check who owns it and that the disk can be written to`,
    });
  }
}

async function digestOf(file: Awaited<ReturnType<typeof open>>): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
}
