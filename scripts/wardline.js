#!/usr/bin/env node
// The `wardline` command for any Node: goes on in src/main.ts on the Node that Wardline runs on, or says what is missing.
import './compile-cache.js';
import { continueOn, refuse } from './install.js';

try {
  await continueOn('src/main.ts', process.argv.slice(2));
} catch (error) {
  refuse(error);
}
