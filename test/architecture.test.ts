/**
 * Rules about the sources themselves, found by reading them: who may write files, use the process or the console, and where
 * verdicts may be named. Imports: imports.test.ts.
 */
import { dirname } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  isBelow,
  isFree,
  isThere,
  lineOf,
  readSource,
  readText,
  SOURCES,
  TEST_FILES,
  visit,
  type Source,
} from './helpers/sources.js';

describe('writing files', () => {
  const READING = new Set([
    'readFileSync',
    'readdirSync',
    'statSync',
    'lstatSync',
    'fstatSync',
    'existsSync',
    'realpathSync',
    'readlinkSync',
    'readSync',
    'closeSync',
    'createReadStream',
    'watch',
    'readFile',
    'readdir',
    'stat',
    'lstat',
    'realpath',
    'access',
    'Stats',
    'Dirent',
    'FSWatcher',
  ]);

  /** Opening is reading unless a flag says otherwise. */
  const OPENING = new Set(['open', 'openSync', 'constants']);
  const WRITE_FLAGS = /\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b|open(Sync)?\([^)]*['"`](w|a|r\+)/;

  function problemsOf({ path, imports, tree }: Source): string[] {
    const names = imports
      .filter(({ target, typeOnly }) => /^(node:)?fs(\/promises)?$/.test(target) && !typeOnly)
      .flatMap((statement) => statement.names);
    return names
      .filter((name) => !READING.has(name) && !(OPENING.has(name) && !WRITE_FLAGS.test(tree.text)))
      .map((name) => `${path} imports ${name} of fs: write through src/io/files.ts`);
  }

  it('is done by src/io/files.ts alone', () => {
    expect(SOURCES.filter(({ path }) => path !== 'src/io/files.ts').flatMap(problemsOf)).toEqual([]);
  });

  it.each([
    "import { writeFileSync } from 'node:fs';",
    "import * as fs from 'fs';",
    "import fs from 'node:fs';",
    "import { rm as remove } from 'node:fs/promises';",
    "const fs = await import('node:fs');",
    "import { openSync } from 'node:fs';\nopenSync('x', 'w');",
    "import { open, constants } from 'node:fs/promises';\nawait open('x', constants.O_CREAT);",
  ])('would be noticed in %j', (text) => {
    expect(problemsOf(readSource('src/train/x.ts', text))).not.toEqual([]);
  });

  it('is not done through a library or a shell either', () => {
    const writers = /^(fs-extra|graceful-fs|write-file-atomic|rimraf|mkdirp|make-dir|tmp|tempy)$/;
    const problems = SOURCES.flatMap(({ path, imports }) =>
      imports.filter(({ target }) => writers.test(target)).map(({ target }) => `${path} imports ${target}`),
    );
    expect(problems).toEqual([]);
    const spawning = SOURCES.filter(({ imports }) =>
      imports.some(({ target }) => /^(node:)?child_process$/.test(target)),
    );
    expect(
      spawning.map(({ path }) => path).filter((path) => !MAY_SPAWN.some((prefix) => isBelow(path, prefix))),
    ).toEqual([]);
  });
});

/** Jobs are the one kind of child process; doctor asks the compiler for its version, serve opens the browser. */
const MAY_SPAWN = ['src/jobs/start.ts', 'src/jobs/detached.ts', 'src/cli'];

/** Members of `process` that may be used outside the command line, with the reason. */
const MAY_USE_PROCESS: readonly (readonly [
  prefix: string,
  members: readonly string[] | 'all',
  reason: string,
])[] = [
  ['src/cli', 'all', 'the command line'],
  ['src/viewer/start.ts', 'all', 'starts the server'],
  ['src/jobs/child.ts', 'all', "a child's side"],
  ['src/jobs/start.ts', ['execPath', 'env', 'kill', 'on', 'off', 'pid'], 'starts and signals children'],
  ['src/jobs/detached.ts', ['execPath', 'env'], 'starts children that outlive it'],
  ['src/jobs/memory.ts', ['pid'], 'measures this process'],
  [
    'src/io/process-identity.ts',
    ['pid', 'kill'],
    'names this process in a lock, asks whether a holder lives',
  ],
];
/** Facts about the machine that change nothing and print nothing. */
const HARMLESS = ['platform', 'arch', 'version', 'versions', 'report'];

describe('process and console', () => {
  const isEntry = (path: string): boolean => /(^|[/-])entry\.ts$/.test(path);

  function problemsOf(source: Source): string[] {
    const allowed = MAY_USE_PROCESS.find(([prefix]) => isBelow(source.path, prefix))?.[1] ?? [];
    if (allowed === 'all' || isEntry(source.path)) return [];
    const problems: string[] = [];
    visit(source.tree, (node) => {
      if (!ts.isIdentifier(node) || !isFree(node)) return;
      if (node.text === 'console') problems.push(`${lineOf(source, node)} uses console`);
      if (node.text !== 'process') return;
      const member = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : '?';
      if (![...allowed, ...HARMLESS].includes(member))
        problems.push(`${lineOf(source, node)} uses process.${member}`);
    });
    for (const { target } of source.imports) {
      if (/^(node:)?(process|console)$/.test(target)) problems.push(`${source.path} imports ${target}`);
    }
    return problems;
  }

  it('are used only where a program begins', () => {
    expect(SOURCES.flatMap(problemsOf)).toEqual([]);
  });

  it.each([
    'console.warn(1);',
    'const path = process.env.HOME;',
    "process['exit'](1);",
    'const { argv } = process;',
    "import { exit } from 'node:process';",
  ])('would be noticed in %j', (text) => {
    expect(problemsOf(readSource('src/train/x.ts', text))).not.toEqual([]);
  });
});

describe('verdicts', () => {
  // read from the one place that names them, so that this test does not name them either
  const WORDS = verdictWords();

  function verdictWords(): string[] {
    const source = readSource('src/evidence/verdict.ts');
    const words: string[] = [];
    visit(source.tree, (node) => {
      if (
        ts.isVariableDeclaration(node) &&
        node.name.getText() === 'VERDICTS' &&
        node.initializer !== undefined
      ) {
        visit(node.initializer, (inner) => {
          if (ts.isStringLiteral(inner)) words.push(inner.text);
        });
      }
    });
    return words;
  }

  function problemsOf(source: Source): string[] {
    const problems: string[] = [];
    visit(source.tree, (node) => {
      const isText =
        ts.isStringLiteralLike(node) ||
        ts.isTemplateHead(node) ||
        ts.isTemplateMiddleOrTemplateTail(node) ||
        ts.isJsxText(node);
      if (!isText) return;
      // the first two words also occur in plain sentences, so only the whole literal counts
      const found = WORDS.find(
        (word, i) => node.text === word || (i >= 2 && new RegExp(`\\b${word}\\b`).test(node.text)),
      );
      if (found !== undefined) problems.push(`${lineOf(source, node)} writes the verdict "${found}"`);
    });
    return problems;
  }

  it('are named by src/evidence/verdict.ts alone', () => {
    expect(WORDS).toHaveLength(4);
    expect(SOURCES.filter(({ path }) => path !== 'src/evidence/verdict.ts').flatMap(problemsOf)).toEqual([]);
  });

  it('would be noticed elsewhere', () => {
    for (const word of WORDS) {
      for (const text of [`f('${word}');`, `const x = { "${word}": 1 };`, `f(\`${word}\`);`]) {
        expect(problemsOf(readSource('src/report/x.ts', text)), text).toHaveLength(1);
      }
    }
  });
});

describe('repeatability', () => {
  /** Wall clock: a file name or a session's start, never a result. */
  const MAY_READ_CLOCK = [
    'src/cli',
    'src/viewer',
    'src/workflows',
    'src/jobs',
    'src/train',
    'src/io/unique.ts',
  ];
  /** Names of temporary files and tokens of locks: a pid is no unique name. */
  const MAY_BE_RANDOM = ['src/io/unique.ts'];

  function problemsOf(source: Source): string[] {
    const problems: string[] = [];
    const clockAllowed = MAY_READ_CLOCK.some((prefix) => isBelow(source.path, prefix));
    visit(source.tree, (node) => {
      if (!ts.isIdentifier(node) || !isFree(node)) return;
      const use = (): number =>
        problems.push(`${lineOf(source, node)} uses ${node.parent.getText().slice(0, 40)}`);
      if (node.text === 'Math' && /^Math\s*(\?\.|\.|\[)\s*['"]?random/.test(node.parent.getText())) use();
      if (node.text === 'crypto') use();
      if (!clockAllowed && (node.text === 'Date' || node.text === 'performance')) use();
    });
    for (const { names, target } of MAY_BE_RANDOM.includes(source.path) ? [] : source.imports) {
      const random = names.filter((name) => /^random(Bytes|UUID|Int|FillSync)$/.test(name));
      problems.push(...random.map((name) => `${source.path} imports ${name} of ${target}`));
    }
    return problems;
  }

  it('no Math.random anywhere, no clock where results are computed', () => {
    expect(SOURCES.flatMap(problemsOf)).toEqual([]);
  });

  it.each([
    'Math.random();',
    "Math['random']();",
    'new Date();',
    'Date.now();',
    'crypto.randomUUID();',
    'performance.now();',
  ])('%j would be noticed', (text) => {
    expect(problemsOf(readSource('src/analysis/x.ts', text))).not.toEqual([]);
  });
});

describe('folders', () => {
  const MOST_FILES = 25;

  it(`hold at most ${MOST_FILES} sources each`, () => {
    const counts = new Map<string, number>();
    for (const { path } of SOURCES) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, files]) => files > MOST_FILES)).toEqual([]);
  });

  it('of tests follow those of the sources, or the test says in its first line what it covers', () => {
    const tests = TEST_FILES.filter((path) => path.endsWith('.test.ts'));
    const astray = tests.filter((path) => {
      const name = path.replace(/^test\//, '').replace(/\.test\.ts$/, '');
      const sources = [`src/${name}.ts`, `src/${name}.tsx`, `src/${name}.mjs`, `src/${name}`];
      const found = [...sources, `${name}.ts`, name].some((source) => isThere(source));
      return !found && !readText(path).startsWith('/**');
    });
    expect(tests.length).toBeGreaterThan(200);
    expect(astray).toEqual([]);
  });
});

describe('files', () => {
  it('open with a comment that says what they hold, and stay below 500 lines', () => {
    const problems = SOURCES.flatMap(({ path, tree }) => {
      const lines = tree.text.split('\n').length;
      return [
        ...(tree.text.startsWith('/**') || tree.text.startsWith('#!')
          ? []
          : [`${path} does not open with a comment`]),
        ...(lines > 500 ? [`${path} has ${lines} lines`] : []),
      ];
    });
    expect(problems).toEqual([]);
  });

  it('export names only', () => {
    const problems = SOURCES.flatMap((source) => {
      const found: string[] = [];
      visit(source.tree, (node) => {
        if (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword) {
          if (ts.isDefaultClause(node) || (node.parent !== undefined && ts.isDefaultClause(node.parent)))
            return;
          found.push(`${lineOf(source, node)} exports a default`);
        }
      });
      return found;
    });
    expect(problems).toEqual([]);
  });
});
