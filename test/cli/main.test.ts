/** The program as a whole: its list of commands, what starting it costs, and output that nobody reads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type CommandName, SUMMARIES } from '../../src/cli/terminal/summaries.js';
import { packageRoot } from '../../src/io/package-root.js';
import { CLI, runCli, startCli, withFolder } from '../helpers/cli.js';

const NAMES = Object.keys(SUMMARIES) as CommandName[];

/** The file of each command exports one function that registers it. */
async function registered(name: CommandName): Promise<Command> {
  const module = (await (name === 'sample'
    ? import('../../src/cli/sample/sample-command.js')
    : import(`../../src/cli/commands/${name}.ts`))) as Readonly<Record<string, unknown>>;
  const register = Object.entries(module).find(([key]) => key.startsWith('register'))?.[1];
  const program = new Command();
  (register as (program: Command) => void)(program);
  return program.commands[0];
}

describe('sumlens --help', () => {
  it('lists every command with its arguments as the command itself has them', async () => {
    for (const name of NAMES) {
      const command = await registered(name);
      const args = command.registeredArguments.map((argument) => {
        const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
        return argument.required ? `<${shown}>` : `[${shown}]`;
      });
      const { description } = SUMMARIES[name];
      expect([command.name(), args.join(' '), command.description()]).toEqual([
        name,
        SUMMARIES[name].args,
        description,
      ]);
    }
    const { stdout, code } = runCli(['--help'], packageRoot());
    expect(code).toBe(0);
    for (const name of NAMES) expect(stdout).toContain(`  ${name} [options]`);
  });

  it('loads no command: neither version nor help reads a module of engines, reports or probes', async () => {
    const loader = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(\`
        export async function load(url, context, next) { process.stderr.write(url + '\\\\n'); return next(url, context); }\`));`;
    for (const flag of ['--version', '--help']) {
      const hook = `data:text/javascript,${encodeURIComponent(loader)}`;
      const child = spawn(process.execPath, ['--import', hook, CLI, flag], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(child, 'close');
      const own = text.split('\n').filter((url) => url.includes('/dist/'));
      expect(own.length).toBeGreaterThan(2);
      expect(
        own.filter(
          (url) =>
            !/\/dist\/src\/(cli\/(main|program|terminal\/(pipes|summaries))|errors|io\/[a-z0-9-]+)\.js$/.test(
              url,
            ),
        ),
      ).toEqual([]);
    }
  });

  it('shows the help of one command either way', () => {
    const [one, other] = [
      ['train', '--help'],
      ['help', 'train'],
    ].map((args) => runCli(args, packageRoot()));
    expect(one.stdout).toContain('--d-model');
    expect(other.stdout).toBe(one.stdout);
  });
});

/** Runs the program and closes one of its outputs after the first bytes. */
async function cutOff(
  args: readonly string[],
  folder: string,
  which: 'stdout' | 'stderr',
): Promise<{ code: number | null; other: string }> {
  const child = startCli(args, folder);
  let other = '';
  child[which === 'stdout' ? 'stderr' : 'stdout']?.on('data', (chunk: Buffer) => (other += chunk.toString()));
  child[which]?.once('data', () => child[which]?.destroy());
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, other };
}

const TRAIN = ['train', '--tasks', 'SUM', '--d-model', '8', '--steps', '64', '--engine', 'wasm'];

describe('output that nobody reads any more', () => {
  it('ends a schema and a table of samples quietly', async () => {
    for (const args of [
      ['report', '--schema'],
      ['sample', '--count', '1000'],
    ]) {
      expect(await cutOff(args, packageRoot(), 'stdout')).toEqual({ code: 0, other: '' });
    }
  });

  it('does not end a training: progress is lost, the run is not', async () => {
    await withFolder(async (folder) => {
      const { code, other } = await cutOff(TRAIN, folder, 'stderr');
      expect(code, other).toBe(0);
      const [run] = readdirSync(join(folder, 'checkpoints'));
      expect(readFileSync(join(folder, 'checkpoints', run, 'end.json'), 'utf8')).toContain('budget');
    });
  });

  it('publishes when the terminal is closed, and says 129', async () => {
    await withFolder(async (folder) => {
      const child = startCli([...TRAIN.slice(0, -4), '--steps', '100000', '--engine', 'wasm'], folder);
      child.stderr?.once('data', () => child.stderr?.destroy());
      const closed = once(child, 'close');
      const metrics = (): string => {
        const [run] = existsSync(join(folder, 'checkpoints')) ? readdirSync(join(folder, 'checkpoints')) : [];
        const path = join(folder, 'checkpoints', run ?? '', 'metrics.jsonl');
        return run !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
      };
      // it has begun to train
      await expect.poll(metrics, { timeout: 40_000 }).toMatch(/"step":[1-9]/);
      child.kill('SIGHUP');
      const [code] = (await closed) as [number | null];
      expect(code).toBe(129);
      const [run] = readdirSync(join(folder, 'checkpoints'));
      const dir = join(folder, 'checkpoints', run);
      const end = JSON.parse(readFileSync(join(dir, 'end.json'), 'utf8')) as { reason: string; step: number };
      expect(end.reason).toBe('interrupted');
      expect(end.step).toBeGreaterThan(0);
      // the step that it stopped at is there to go on from
      expect(readdirSync(join(dir, 'resume')).map(Number)).toContain(end.step);
      expect(readdirSync(dir)).not.toContain('lock');
    });
  });
});

describe('names', () => {
  it('of reports are refused where a system keeps them for a device', () => {
    for (const name of ['CON', 'nul', 'com1.txt', 'a.']) {
      const { code, stderr } = runCli(['probe', 'all', 'x', '--name', name], packageRoot());
      expect([code, stderr.split('\n').length]).toEqual([2, 2]);
      expect(stderr).toContain('--name');
    }
  });
});
