// `npm run docs`: writes the reference pages that are made from the code. A test compares them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { configurationReference } from '../src/config/index.ts';
import { factsReference } from '../src/core/audit/index.ts';

mkdirSync('docs/reference', { recursive: true });
writeFileSync('docs/reference/configuration.md', configurationReference());
writeFileSync('docs/reference/audit-facts.md', factsReference());
