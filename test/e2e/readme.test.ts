/**
 * Every command of README.md is run as it stands there, but for what makes it long: the arguments that are changed stand in
 * SHORTER, and scripts that only developers call are looked up instead. A command that is new in README.md fails here until
 * it has a line.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { CLI } from '../helpers/cli.js';
import { PUBLIC_FILE } from '../listops/files/public-lines.js';

const ROOT = packageRoot();
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Indented lines and words in backquotes that begin with npm or npx, without their comments; each once, in order. */
function commandsOf(text: string): string[] {
  const lines = [...text.matchAll(/^ {4}(np[mx] .*)$/gm)].map((match) => [match.index, match[1]] as const);
  const quoted = [...text.matchAll(/`(np[mx] [^`]*)`/g)].map((match) => [match.index, match[1]] as const);
  const commands = [...lines, ...quoted].sort((a, b) => a[0] - b[0]).map(([, command]) => command);
  return [
    ...new Set(
      commands.map((command) =>
        command
          .replace(/ +#.*$/, '')
          .replace(/\s+/g, ' ')
          .trim(),
      ),
    ),
  ];
}

/** The preset that takes seconds; folders elsewhere, so that the clone's own runs and reports stay. */
const QUICK = '-- smoke --no-serve --checkpoints $FOLDER/checkpoints --reports $FOLDER/reports';

/** What is run in place of a command: fewer steps, fewer files, a test of its own. */
const SHORTER: Readonly<Record<string, string>> = {
  'npm start': `npm start ${QUICK}`,
  'npm start -- --no-serve': `npm start ${QUICK}`,
  'npm test': 'npm test -- test/tensor/sum.test.ts',
  'npx sumlens train --tasks SUM --regime pairs --seed 7 --d-model 32 --steps 16000':
    'npx sumlens train --tasks SUM --regime pairs --seed 7 --d-model 32 --steps 64',
  'npx sumlens train --tasks MAX+MED+SUM --regime pairs --seed 7 --d-model 32 --steps 16000':
    'npx sumlens train --tasks MAX+MED+SUM --regime pairs --seed 7 --d-model 32 --steps 64',
  'npx sumlens train --data test_d20s.tsv --max-tokens 128 --format direct --d-model 64':
    'npx sumlens train --data test_d20s.tsv --max-tokens 128 --format direct --d-model 8 --steps 2 --batch 4',
  'npx sumlens sample <run> --data test_d20s.tsv':
    'npx sumlens sample checkpoints/max-med-min-sum-file-* --data test_d20s.tsv --max-tokens 128',
  'npx sumlens train --preset authors --tasks SUM --d-model 32':
    'npx sumlens train --preset authors --tasks SUM --d-model 32 --steps 2',
  'npx sumlens probe ./number-length.ts <run>...':
    'npx sumlens probe ./number-length.ts checkpoints/reference/*-s1-* --name number-length',
  'npx sumlens compare checkpoints/reference/*':
    'npx sumlens compare checkpoints/reference/*-s1-* --name two-reference-runs',
};
/** Waits for a Ctrl-C: started, asked for its page, and ended. */
const SERVES = 'npx sumlens serve';
/** Measures, needs other programs or has a test of its own: only that there is such a script. */
const LOOKED_UP = ['npm run setup', 'npm run setup:tfjs-node', 'npm run test:pytorch', 'npm run bench'];

const COMMANDS = commandsOf(README);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-readme-'));
  mkdirSync(join(folder, 'checkpoints'));
  symlinkSync(join(ROOT, 'checkpoints', 'reference'), join(folder, 'checkpoints', 'reference'));
  mkdirSync(join(folder, 'reports', 'paper'), { recursive: true });
  copyFileSync(
    join(ROOT, 'reports', 'paper', 'results.jsonl'),
    join(folder, 'reports', 'paper', 'results.jsonl'),
  );
  copyFileSync(PUBLIC_FILE, join(folder, 'test_d20s.tsv'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** npm runs the scripts of the clone; npx would run its command in another folder no differently from node. */
function run(command: string): { readonly code: number | null; readonly output: string } {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|SUMLENS_|VITEST)/.test(name));
  const isScript = command.startsWith('npm ');
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', command.replace(/^npx sumlens/, '"$NODE" "$CLI"')],
    {
      cwd: isScript ? ROOT : folder,
      env: {
        ...Object.fromEntries(own),
        FOLDER: folder,
        NODE: process.execPath,
        CLI,
        SUMLENS_NO_INSTALL: '1',
      },
      encoding: 'utf8',
      timeout: 170_000,
    },
  );
  return { code: status, output: stdout + stderr };
}

describe('README.md', () => {
  it('has the commands that this file knows, and no line of this file is left over', () => {
    expect(COMMANDS.length).toBeGreaterThan(10);
    const known = [...Object.keys(SHORTER), ...LOOKED_UP, SERVES];
    expect(known.filter((command) => !COMMANDS.includes(command))).toEqual([]);
  });

  it('says what comes before the first npx', () => {
    const first = README.indexOf('npx sumlens');
    expect(README.slice(0, first)).toContain('npm run setup');
    const { code, stdout } = spawnPlain('npx', ['--no-install', 'sumlens', '--version']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  it.each(COMMANDS.filter((command) => command !== SERVES && !LOOKED_UP.includes(command)))(
    '%s',
    (command) => {
      const { code, output } = run(SHORTER[command] ?? command);
      expect(code, output.slice(-2000)).toBe(0);
    },
    180_000,
  );

  it(SERVES, async () => {
    const child = spawn(process.execPath, [CLI, 'serve'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const [line] = (await once(child.stderr, 'data')) as [Buffer];
    const url = /http:\/\/\S+/.exec(line.toString())?.[0] ?? '';
    expect((await fetch(url)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it.each(LOOKED_UP)('%s is a script of the package', (command) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const script = scripts[command.slice('npm run '.length)];
    expect(existsSync(join(ROOT, script.split(' ')[1])), script).toBe(true);
  });

  it('links only to files that are there', () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(readdirSync(join(ROOT, 'docs', 'images')).length).toBeGreaterThan(0);
  });
});

function spawnPlain(command: string, args: readonly string[]): { code: number | null; stdout: string } {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|SUMLENS_)/.test(name));
  const { status, stdout } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: Object.fromEntries(own),
  });
  return { code: status, stdout };
}
