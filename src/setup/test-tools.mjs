/**
 * Programs and fonts that some tests need beside Node: found, or installed from Debian where this is root on Debian. A test
 * whose tool is missing is skipped with the reason, and fails where REQUIRE_ALL is set. node: imports only.
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { onPath, runProgram } from './common.mjs';

/** Fonts that the charts are drawn with in tests: narrow, usual and wide. */
export const FONTS = [
  { family: 'Liberation Sans', folder: '/usr/share/fonts/truetype/liberation', debian: 'fonts-liberation' },
  { family: 'DejaVu Sans', folder: '/usr/share/fonts/truetype/dejavu', debian: 'fonts-dejavu-core' },
  { family: 'Comfortaa', folder: '/usr/share/fonts/truetype/comfortaa', debian: 'fonts-comfortaa' },
];

const TOOLS = [
  { debian: ['gcc', 'libc6-dev'], isHere: () => onPath('gcc') !== undefined },
  { debian: ['clang-14'], isHere: () => onPath('clang-14') !== undefined },
  { debian: ['lld-14'], isHere: () => onPath('wasm-ld-14') !== undefined },
  { debian: ['chromium'], isHere: () => findChromium() !== undefined },
  ...FONTS.map(({ folder, debian }) => ({ debian: [debian], isHere: () => existsSync(folder) })),
];

/** @returns {string | undefined} path of a Chromium: CHROMIUM_PATH, or the first on PATH */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') return named;
  return onPath('chromium', 'chromium-browser', 'google-chrome');
}

/**
 * Installs what is missing; says so, and goes on without what cannot be had.
 * @param {(line: string) => void} log
 */
export function installTestTools(log) {
  const missing = TOOLS.filter(({ isHere }) => !isHere()).flatMap(({ debian }) => debian);
  if (missing.length === 0 || process.env.SUMLENS_NO_INSTALL === '1') return;
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined || !existsSync('/etc/debian_version'))
    return;
  log(`set-up: for the tests, from Debian: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (packages) =>
    runProgram('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
      env,
      timeout: 10 * 60_000,
    });
  try {
    runProgram('apt-get', ['update', '-q'], { env, timeout: 5 * 60_000 });
    install(missing);
  } catch {
    // another Debian has another clang: the rest must not be lost with it
    for (const name of missing) {
      try {
        install([name]);
      } catch (error) {
        log(`set-up: ${name} could not be installed: ${error.message.split('\n').at(-1)}`);
      }
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) installTestTools(console.error);
