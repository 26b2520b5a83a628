/** The command line as a child that is watched and signalled, and the bytes that a run must end in. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from '../helpers/cli.js';
import { must } from './trial.js';

export interface SessionEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Session {
  readonly child: ChildProcess;
  readonly done: Promise<SessionEnd>;
  readonly isOver: () => boolean;
}

const started = new Set<ChildProcess>();

/** Ends every child that is still there: for the end of a test. */
export function endSessions(): void {
  for (const child of started) child.kill('SIGKILL');
}

export function startSession(args: readonly string[], cwd: string): Session {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SUMLENS_'));
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: Object.fromEntries(own),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let stdout = '';
  let stderr = '';
  let over = false;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const done = new Promise<SessionEnd>((resolve) => {
    child.on('close', (code, signal) => {
      over = true;
      started.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, done, isOver: () => over };
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a condition, looking every two milliseconds. @throws Error after `mostMs` */
export async function until(condition: () => boolean, what: string, mostMs = 60_000): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > mostMs) throw new Error(`waited ${mostMs / 1000} s for ${what}`);
    await wait(2);
  }
}

/** Last step in the metrics, 0 before the first. */
export function stepOf(out: string): number {
  const file = join(out, 'metrics.jsonl');
  if (!existsSync(file)) return 0;
  return Number(/"step":(\d+)[^\n]*\n$/.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
}

/** Something is being published at this moment. */
export function isSaving(out: string): boolean {
  return ['steps', 'resume'].some((kind) => {
    try {
      return readdirSync(join(out, kind)).some((name) => name.startsWith('.tmp-'));
    } catch {
      return false;
    }
  });
}

const isPublished = (name: string): boolean => /^\d{6,}$/.test(name);

/** Names of the published steps or resume points. */
export function published(out: string, kind: 'steps' | 'resume'): string[] {
  const folder = join(out, kind);
  return existsSync(folder) ? readdirSync(folder).filter(isPublished).sort() : [];
}

/** When the newest resume point or, before the first, the run itself came to be; milliseconds since 1970. */
export function lastSavedAt(out: string): number {
  const last = published(out, 'resume').at(-1);
  return statSync(last === undefined ? join(out, 'config.json') : join(out, 'resume', last)).mtimeMs;
}

/** Everything that "the same bytes" is about: path to content. */
export function scientificBytes(out: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const add = (path: string): void => {
    files.set(path, readFileSync(join(out, path)));
  };
  add('config.json');
  add('metrics.jsonl');
  for (const step of readdirSync(join(out, 'steps'))) {
    for (const file of readdirSync(join(out, 'steps', step))) add(`steps/${step}/${file}`);
  }
  const last = published(out, 'resume').at(-1) ?? '';
  add(`resume/${last}/model.safetensors`);
  add(`resume/${last}/optimizer.safetensors`);
  return files;
}

/** @throws Error naming the first file that differs */
export function mustBeSameBytes(actual: string, expected: string): void {
  const [a, b] = [scientificBytes(actual), scientificBytes(expected)];
  must(
    [...a.keys()].join() === [...b.keys()].join(),
    `found ${[...a.keys()].join()}, expected ${[...b.keys()].join()}`,
  );
  for (const [path, bytes] of b) must(a.get(path)?.equals(bytes) === true, `${path}: other bytes`);
}
