// Loaded before anything else (--import, also in worker threads): keeps compiled code beside the libraries. Without it
// every process would load the TypeScript parser, 20 to 30 MB each, and start half a second later.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// Not in the common temporary folder: whoever can write there could put code into our processes.
module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/wardline', import.meta.url)));
