/**
 * What a driver of one promise is given and gives back. Drivers know no test runner: the short tests of vitest and
 * `npm run test:faults` call the same ones.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Trial {
  readonly seed: number;
  /** trials to make */
  readonly count: number;
  /** after each trial */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Outcome {
  readonly tried: number;
  readonly held: number;
  /** one line for each trial in which the promise was not held, the first few */
  readonly broken: readonly string[];
  /** figures measured on the way, in one line */
  readonly figures?: string | undefined;
}

export type Driver = (trial: Trial) => Outcome | Promise<Outcome>;

const MOST_SHOWN = 20;

/** Counts trials; one that throws is a promise not held, and the others go on. */
export class Tally {
  private tried = 0;
  private held = 0;
  private readonly broken: string[] = [];

  constructor(private readonly trial: Trial) {}

  async run(name: string, attempt: () => void | Promise<void>): Promise<boolean> {
    return this.settle(name, await failureOf(attempt));
  }

  /** For work that must stay synchronous. */
  runSync(name: string, attempt: () => void): boolean {
    let failure: string | undefined;
    try {
      attempt();
    } catch (error) {
      failure = textOf(error);
    }
    return this.settle(name, failure);
  }

  private settle(name: string, failure: string | undefined): boolean {
    this.tried++;
    if (failure === undefined) this.held++;
    else if (this.broken.length < MOST_SHOWN) this.broken.push(`${name}: ${failure}`);
    this.trial.onProgress?.(this.tried, this.trial.count);
    return failure === undefined;
  }

  outcome(figures?: string): Outcome {
    const { tried, held, broken } = this;
    return { tried, held, broken, ...(figures !== undefined && { figures }) };
  }
}

async function failureOf(attempt: () => void | Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 400);
}

/** @throws Error with the text when the condition is false */
export function must(condition: boolean, text: string): asserts condition {
  if (!condition) throw new Error(text);
}

/** A new empty folder, removed afterwards. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-faults-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For work that must stay synchronous. */
export function inFolderSync<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-faults-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
