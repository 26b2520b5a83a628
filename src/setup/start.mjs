/** `npm start`: set-up, then `sumlens run` with the arguments given after `--`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
const child = spawn(
  process.execPath,
  [join(ROOT, 'dist', 'src', 'cli', 'main.js'), 'run', ...process.argv.slice(2)],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
);
// a terminal's Ctrl-C reaches the child by itself; kill(1) of this process must reach it too
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
