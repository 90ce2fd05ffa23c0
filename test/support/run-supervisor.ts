// node run-supervisor.ts <launch plan file> [stopped]: the supervisor alone, in a process of its own; "stopped": it was told
// to stop while the plan was made.
import { readFileSync } from 'node:fs';
import { supervise } from '../../src/cli/supervise/house.ts';
import type { LaunchPlan } from '../../src/cli/supervise/launch-plan.ts';

const [, , file = '', stopped] = process.argv;
process.exit(await supervise(JSON.parse(readFileSync(file, 'utf8')) as LaunchPlan, stopped === 'stopped'));
