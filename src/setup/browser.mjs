/** Finds a Chromium for the browser tests, installs Debian's when this is root on Debian. */
import { existsSync } from 'node:fs';
import { onPath, runProgram } from './common.mjs';

/** @returns {string | undefined} path of the program; undefined when the tests themselves must say what is missing */
export function ensureChromium(log) {
  if (process.env.SUMLENS_NO_BROWSER === '1') return undefined;
  const named = process.env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') return named;
  const found = onPath('chromium', 'chromium-browser', 'google-chrome');
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined || !existsSync('/etc/debian_version'))
    return undefined;
  log('set-up: Chromium for the browser tests (Debian package)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    runProgram('apt-get', ['update', '-q'], { env, timeout: 5 * 60_000 });
    runProgram(
      'apt-get',
      ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'],
      {
        env,
        timeout: 10 * 60_000,
      },
    );
  } catch (error) {
    log(`set-up: Chromium could not be installed: ${error.message}`);
  }
  return onPath('chromium');
}
