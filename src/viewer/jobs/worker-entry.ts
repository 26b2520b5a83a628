/** Entry file of a worker process: `worker-entry.js <checkpoints folder> <reports folder> <cores>`. */
import { join } from 'node:path';
import { packageRoot } from '../../io/package-root.js';
import { jobsFolder } from './files.js';
import { work } from './worker.js';

const [checkpointsDir, reportsDir, cores] = process.argv.slice(2);
await work({
  checkpointsDir,
  reportsDir,
  jobs: jobsFolder(checkpointsDir),
  cores: Number(cores),
  cli: join(packageRoot(), 'dist', 'src', 'cli', 'main.js'),
});
