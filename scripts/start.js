// `npm start`: installs what is missing, then `wardline up` with the options given after `--`.
import './compile-cache.js';
import { continueOn, ensureInstalled, refuse } from './install.js';

try {
  ensureInstalled('run');
  await continueOn('src/main.ts', ['up', ...process.argv.slice(2)]);
} catch (error) {
  refuse(error);
}
