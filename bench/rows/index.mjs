/** All rows, in the order in which they are printed. */
import { rows as capture } from './capture.mjs';
import { rows as cost } from './cost.mjs';
import { rows as efficiency } from './efficiency.mjs';
import { rows as engines } from './engines.mjs';
import { rows as frameworks } from './frameworks.mjs';
import { rows as generation } from './generation.mjs';
import { rows as job } from './job.mjs';
import { rows as lens } from './lens.mjs';
import { rows as long } from './long.mjs';
import { rows as memory } from './memory.mjs';
import { rows as tfjs } from './tfjs.mjs';

export const ROWS = [
  ...efficiency,
  ...frameworks,
  ...engines,
  ...generation,
  ...capture,
  ...lens,
  ...job,
  ...memory,
  ...cost,
  ...long,
  // last: what it leaves in this process's heap makes every collection of garbage dearer
  ...tfjs,
];
