import { createHash, randomInt } from 'node:crypto';
import type { Store } from '../../storage/index.ts';

export async function openPhones(store: Store, realm: string) {
  const known = new Map<string, { md5: string; sha256: string }>();
  const load = async () => {
    known.clear();
    for (const row of await store.phones.list()) known.set(row.extension, { md5: row.ha1Md5, sha256: row.ha1Sha256 });
  };
  await load();
  return {
    ha1: (extension: string) => known.get(extension),
    has: (extension: string) => known.has(extension),
    async add(extension: string): Promise<string> {
      const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
      const password = Array.from({ length: 16 }, () => letters[randomInt(letters.length)]).join('');
      const hash = (name: string) => createHash(name).update(`${extension}:${realm}:${password}`).digest('hex');
      await store.phones.remove(extension);
      await store.phones.insert({ extension, ha1Md5: hash('md5'), ha1Sha256: hash('sha256'), createdAt: Date.now() });
      await load();
      return password;
    },
  };
}
