// node run-supervisor.ts <launch plan file>: the supervisor alone, in a process of its own.
import { readFileSync } from 'node:fs';
import { supervise } from '../../src/cli/supervise/house.ts';
import type { LaunchPlan } from '../../src/cli/supervise/launch-plan.ts';

process.exit(await supervise(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LaunchPlan));
