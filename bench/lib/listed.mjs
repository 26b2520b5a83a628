/** What the viewer's first list of many runs costs: the runs of test/viewer/sample-runs.ts, a server of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleForNode } from '../../src/setup/common.mjs';
import { BUILD, ROOT } from './project.mjs';

/** of /proc: clock ticks in a second */
const TICKS = 100;

async function sampleRuns() {
  const outfile = await bundleForNode('test/viewer/sample-runs.ts', join(BUILD, 'sample-runs.mjs'));
  return import(pathToFileURL(outfile).href);
}

/** Makes a folder with so many finished runs without checkpoints. @returns its path, to be the server's working directory */
export async function folderOfRuns(folder, count) {
  const { sampleConfig, writeRun } = await sampleRuns();
  const root = join(folder, `listed-${count}`);
  const checkpoints = join(root, 'checkpoints');
  mkdirSync(checkpoints, { recursive: true });
  for (let seed = 1; seed <= count; seed++) {
    const tasks = ['SUM', 'MAX', 'MED'][seed % 3];
    writeRun(checkpoints, { config: sampleConfig([tasks], seed), end: 'budget', publishes: false });
  }
  return root;
}

function secondsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Processor seconds of a server from the request for its first list to the answer. */
export async function firstList(root, count) {
  const main = join(ROOT, 'dist/src/cli/main.js');
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--json', '--quiet'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    let said = '';
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.includes('\n')) break;
    }
    const { port } = JSON.parse(said);
    const before = secondsOf(child.pid);
    const response = await fetch(`http://127.0.0.1:${port}/api/runs`);
    const { runs } = await response.json();
    if (runs.length !== count) throw new Error(`${runs.length} of ${count} runs are listed`);
    return secondsOf(child.pid) - before;
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
