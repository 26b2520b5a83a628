/** Promises that the tests try at their full figures already: the same tests, run again, and counted one by one. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/io/package-root.js';
import { inFolder, type Outcome, type Trial } from './trial.js';

interface Suite {
  readonly files: readonly string[];
  /** tests whose full name matches; default: all of the files */
  readonly named?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Result {
  readonly status: string;
  readonly fullName: string;
  readonly ancestorTitles?: readonly string[];
  readonly failureMessages?: readonly string[];
}

export function tryTests({ files, named, environment = {} }: Suite, trial: Trial): Promise<Outcome> {
  return inFolder(async (folder) => {
    const output = join(folder, 'results.json');
    const root = packageRoot();
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const name = named === undefined ? [] : ['-t', named];
    const child = spawn(
      process.execPath,
      [vitest, 'run', '--reporter=json', `--outputFile=${output}`, ...name, ...files],
      { cwd: root, env: { ...process.env, ...environment }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise<void>((resolve) => child.on('close', () => resolve()));
    const results = read(output, stderr);
    const ran = results.filter(({ status }) => status === 'passed' || status === 'failed');
    const skipped = new Set(
      results.flatMap((result) =>
        named === undefined && result.status !== 'passed' && result.status !== 'failed'
          ? [reasonOf(result)]
          : [],
      ),
    );
    trial.onProgress?.(ran.length, ran.length);
    const broken = ran
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages?.[0]?.split('\n')[0] ?? ''}`);
    const figures = `${files.length} test files${skipped.size === 0 ? '' : `; not tried: ${[...skipped].join('; ')}`}`;
    return { tried: ran.length, held: ran.length - broken.length, broken: broken.slice(0, 20), figures };
  });
}

/** Why a test was skipped, as a group of tests has it in its title; the test's name where it stands alone. */
function reasonOf({ fullName, ancestorTitles = [] }: Result): string {
  const reasons = [...ancestorTitles, fullName].flatMap((title) => /, skipped: (.*)/s.exec(title)?.[1] ?? []);
  return reasons[0] ?? fullName;
}

function read(path: string, stderr: string): Result[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new Error(`vitest wrote no results: ${stderr.slice(-400)}`);
  }
  const { testResults } = JSON.parse(text) as {
    testResults: readonly {
      name: string;
      status: string;
      message?: string;
      assertionResults: readonly Result[];
    }[];
  };
  return testResults.flatMap(({ name, status, message = '', assertionResults }) =>
    // a file that could not even be loaded has no test that failed
    status === 'failed' && assertionResults.every((test) => test.status !== 'failed')
      ? [{ status: 'failed', fullName: name, failureMessages: [message] }, ...assertionResults]
      : assertionResults,
  );
}
