import { createCipheriv, createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DialogSnapshot } from '../../src/sip/index.ts';
import { DialogJournal, type StoredDialog } from '../../src/sipd/dialog-journal.ts';
import { scratch, until } from '../support/processes.ts';

const secret = 'the secret of the control port';
const nameless = { callId: 'c', localTag: 'l', remoteTag: 'r' } as DialogSnapshot;
const stored: StoredDialog = { tag: 'pbx', atMs: 1, dialog: nameless };

function opened(path: string, all: readonly StoredDialog[] = []) {
  const told: unknown[] = [];
  const tell = (_fields: object, what: string) => void told.push(what);
  const logger = { info: tell, warn: tell, error: tell };
  return { ...DialogJournal.open({ path, secret, nowMs: 2, logger, all: () => all }), told };
}

void t.test('where the file cannot be written anew, the old one goes on and dead calls stay dead', async (t) => {
  const path = join(scratch(t, 'dialog-journal'), 'dialogs');
  const { journal, told } = opened(path, [stored]);
  journal.rewrite();
  const lines = () => readFileSync(path, 'latin1').split('\n').length - 1;
  mkdirSync(`${path}.new`);
  let kept = 1;
  const keep = () => {
    journal.keep(stored);
    kept++;
  };
  for (let i = 0; i < 2_001; i++) keep();
  // Not while a write is under way, whose end nobody outside is told.
  await until('the try', () => {
    if (told.length === 0) keep();
    return told.length > 0;
  });
  for (let i = 0; i < 3; i++) {
    keep();
    await until('all lines', () => lines() === kept);
  }
  t.same(told, ['dialogs not written'], 'it is not tried for each of them');
  journal.forget(nameless);
  await until('its end', () => lines() === kept + 1);
  t.same(opened(path).found, []);
});

void t.test('a file of before, and one that somebody has changed', (t) => {
  const path = join(scratch(t, 'dialog-journal-old'), 'dialogs');
  const key = createHmac('sha256', secret).update('dialogs on disk').digest();
  // As releases wrote it whose ids were hashes.
  const id = createHmac('sha256', key).update('c l r').digest('base64url').slice(0, 22);
  const nonce = Buffer.alloc(12, 7);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(id));
  const text = Buffer.concat([cipher.update(JSON.stringify(stored)), cipher.final()]);
  const sealed = Buffer.concat([nonce, cipher.getAuthTag(), text]);
  writeFileSync(path, `+ ${id} ${sealed.toString('base64')}\n`);
  t.same(opened(path).found, [stored]);
  sealed[40]! ^= 1;
  writeFileSync(path, `+ ${id} ${sealed.toString('base64')}\n`);
  const { found, told } = opened(path);
  t.same([found, told], [[], ['dialogs not readable']]);
  t.end();
});
