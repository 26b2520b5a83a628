/** `npm start`: set-up, then `sumlens run` with the arguments given after `--`, in this process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
process.chdir(ROOT);
const program = join(ROOT, 'dist', 'src', 'cli', 'main.js');
process.argv.splice(1, 1, program, 'run');
await import(pathToFileURL(program).href);
