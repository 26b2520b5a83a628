/**
 * Rules about the sources themselves, found by reading them: who may import whom, which parts run in a browser, who may
 * write files, use the process or the console, and where verdicts may be named.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Where a file stands: it may import itself and any lower level, never a neighbour. Longest prefix counts. */
const LEVELS: readonly (readonly [prefix: string, level: number])[] = [
  ['src/cli', 14],
  ['src/index.ts', 14],
  ['src/viewer', 13],
  ['src/workflows', 12],
  ['probes', 11],
  ['src/train', 10],
  ['src/report', 10],
  ['src/jobs', 9],
  ['src/checkpoint', 8],
  ['src/engine/native', 8],
  ['src/engine/wasm', 8],
  ['src/engine/tfjs', 8],
  ['src/engine/registry.ts', 8],
  ['src/engine/build', 8],
  ['src/engine/kernels', 7],
  ['src/config', 7],
  ['src/engine/engine.ts', 6],
  ['src/model', 5],
  ['src/listops', 4],
  ['src/analysis', 4],
  ['src/tensor', 3],
  ['src/io', 3],
  ['src/errors.ts', 2],
];

/** Neighbours that may be imported after all, with the reason. */
const ALLOWED_ARROWS: readonly (readonly [from: string, to: string, reason: string])[] = [
  ['src/engine/registry.ts', 'src/engine/native', 'the registry opens the engines'],
  ['src/engine/registry.ts', 'src/engine/wasm', 'the registry opens the engines'],
  ['src/engine/registry.ts', 'src/engine/tfjs', 'the registry opens the engines'],
  ['src/engine/native', 'src/engine/build', 'the list of kernels'],
  ['src/engine/wasm', 'src/engine/build', 'the list of kernels'],
];

/** Run in a browser as they are: no node: import and no Buffer, also not through what they import. */
const BROWSER_SAFE = [
  'src/tensor',
  'src/errors.ts',
  'src/analysis',
  'src/listops',
  'src/model',
  'src/engine/engine.ts',
  'src/engine/wasm',
  'src/report/charts',
  'src/checkpoint/format.ts',
];
const NOT_BROWSER_SAFE = ['src/listops/data-file.ts', 'src/analysis/claims-file.ts'];

/** Parts of the sources for which the rules of the library do not hold. */
const APART = ['src/setup/', 'src/viewer/web/', 'src/report/runtime/'];

function sourcesBelow(folder: string): string[] {
  const path = join(ROOT, folder);
  return readdirSync(path).flatMap((name) => {
    const inside = join(folder, name);
    if (statSync(join(ROOT, inside)).isDirectory()) return sourcesBelow(inside);
    return /\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [inside] : [];
  });
}

const isBelow = (file: string, prefix: string): boolean =>
  file === prefix || file.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);

interface Source {
  readonly path: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly {
    readonly target: string;
    readonly names: readonly string[];
    readonly typeOnly: boolean;
  }[];
}

const FILES = [...sourcesBelow('src'), ...sourcesBelow('probes')].filter(
  (file) => !APART.some((prefix) => file.startsWith(prefix)),
);
const SOURCES: readonly Source[] = FILES.map((path) => readSource(path));

function readSource(path: string, text = readFileSync(join(ROOT, path), 'utf8')): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: { target: string; names: string[]; typeOnly: boolean }[] = [];
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)) return;
      imports.push({
        target: resolveTarget(path, node.moduleSpecifier.text),
        names: importedNames(node),
        typeOnly: ts.isImportDeclaration(node) ? isTypeOnly(node.importClause) : node.isTypeOnly,
      });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (ts.isStringLiteral(specifier)) {
        imports.push({ target: resolveTarget(path, specifier.text), names: ['*'], typeOnly: false });
      }
    }
  });
  return { path, tree, imports };
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  return (
    clause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

function importedNames(node: ts.ImportDeclaration | ts.ExportDeclaration): string[] {
  const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  if (bindings !== undefined && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) {
    return bindings.elements
      .filter((element) => !element.isTypeOnly)
      .map((element) => (element.propertyName ?? element.name).text);
  }
  return ['*'];
}

/** Path below the root with .ts, or the package name. */
function resolveTarget(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(ROOT, resolve(ROOT, dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

const lineOf = ({ path, tree }: Source, node: ts.Node): string =>
  `${path}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

function levelOf(file: string): { prefix: string; level: number } | undefined {
  const found = LEVELS.filter(([prefix]) => isBelow(file, prefix)).sort(
    (a, b) => b[0].length - a[0].length,
  )[0];
  return found === undefined ? undefined : { prefix: found[0], level: found[1] };
}

/** Problems of one arrow; empty when it is allowed. */
function arrowProblem(from: string, to: string): string | undefined {
  const source = levelOf(from);
  const target = levelOf(to);
  if (source === undefined) return `${from} has no level: add its folder to LEVELS`;
  if (target === undefined) return `${from} imports ${to}, which has no level`;
  if (source.prefix === target.prefix || target.level < source.level) return undefined;
  if (ALLOWED_ARROWS.some(([a, b]) => source.prefix === a && target.prefix === b)) return undefined;
  return `${from} imports ${to}: ${source.prefix} may not import ${target.prefix}`;
}

const isNodeModule = (target: string): boolean =>
  target.startsWith('node:') || builtinModules.includes(target);

describe('imports', () => {
  it('reads the sources', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(SOURCES.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
  });

  it('go to the own folder or a lower level only', () => {
    const problems = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.startsWith('src/') || target.startsWith('probes/'))
        .flatMap(({ target }) => arrowProblem(path, target) ?? []),
    );
    expect(problems).toEqual([]);
  });

  it('would notice a wrong arrow', () => {
    expect(arrowProblem('src/tensor/rng.ts', 'src/io/files.ts')).toContain('may not import');
    expect(arrowProblem('src/config/parse.ts', 'src/checkpoint/store.ts')).toContain('may not import');
    expect(arrowProblem('src/train/trainer.ts', 'src/report/schema.ts')).toContain('may not import');
    expect(arrowProblem('src/engine/native/engine.ts', 'src/checkpoint/store.ts')).toContain(
      'may not import',
    );
    expect(arrowProblem('src/new/thing.ts', 'src/errors.ts')).toContain('has no level');
    expect(arrowProblem('src/train/trainer.ts', 'src/jobs/start.ts')).toBeUndefined();
    expect(arrowProblem('src/config/parse.ts', 'src/engine/engine.ts')).toBeUndefined();
  });

  it('lead to the viewer from one file of the command line only', () => {
    const users = SOURCES.filter(
      ({ path, imports }) =>
        path.startsWith('src/cli/') &&
        imports.some(({ target, typeOnly }) => target.startsWith('src/viewer/') && !typeOnly),
    ).map(({ path }) => path);
    expect(users.filter((path) => path !== 'src/cli/serve.ts')).toEqual([]);
  });

  it('have no cycle at run time', () => {
    const edges = new Map(
      SOURCES.map(
        ({ path, imports }) => [path, imports.filter((i) => !i.typeOnly).map((i) => i.target)] as const,
      ),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (state.get(path) === 'done') return;
      if (state.get(path) === 'open') {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
        return;
      }
      state.set(path, 'open');
      for (const target of edges.get(path) ?? []) walk(target, [...trail, path]);
      state.set(path, 'done');
    };
    for (const path of edges.keys()) walk(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('browser-safe parts', () => {
  it('import no node: module and use no Buffer or process, also not through others', () => {
    const byPath = new Map(SOURCES.map((source) => [source.path, source]));
    const problems: string[] = [];
    const seen = new Set<string>();
    const check = (path: string, because: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const source = byPath.get(path);
      if (source === undefined) return;
      for (const { target, typeOnly } of source.imports) {
        if (typeOnly) continue;
        if (isNodeModule(target)) problems.push(`${path} (reached from ${because}) imports ${target}`);
        check(target, because);
      }
      visit(source.tree, (node) => {
        if (
          ts.isIdentifier(node) &&
          ['Buffer', 'process', '__dirname', 'require'].includes(node.text) &&
          isFree(node)
        ) {
          problems.push(`${lineOf(source, node)} (reached from ${because}) uses ${node.text}`);
        }
      });
    };
    for (const { path } of SOURCES) {
      const safe = BROWSER_SAFE.some((prefix) => isBelow(path, prefix));
      if (safe && !NOT_BROWSER_SAFE.includes(path)) check(path, path);
    }
    expect(seen.size).toBeGreaterThan(20);
    expect(problems).toEqual([]);
  });
});

/** An identifier that is a variable in use, not a property, key or declaration of that name. */
function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeReferenceNode(parent) || ts.isQualifiedName(parent) || ts.isImportSpecifier(parent))
    return false;
  const isNamed =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isVariableDeclaration(parent) ||
    ts.isBindingElement(parent);
  return !(isNamed && parent.name === node);
}

describe('writing files', () => {
  const READING = new Set([
    'readFileSync',
    'readdirSync',
    'statSync',
    'lstatSync',
    'fstatSync',
    'existsSync',
    'realpathSync',
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
const MAY_SPAWN = ['src/jobs/start.ts', 'src/cli'];

/** Members of `process` that may be used outside the command line, with the reason. */
const MAY_USE_PROCESS: readonly (readonly [
  prefix: string,
  members: readonly string[] | 'all',
  reason: string,
])[] = [
  ['src/cli', 'all', 'the command line'],
  ['src/viewer/start.ts', 'all', 'starts the server'],
  ['src/jobs/child.ts', 'all', "a child's side"],
  ['src/jobs/start.ts', ['execPath', 'kill', 'on', 'off', 'pid'], 'starts and signals children'],
  ['src/jobs/memory.ts', ['pid'], 'measures this process'],
  [
    'src/io/process-identity.ts',
    ['pid', 'kill'],
    'names this process in a claim, asks whether a holder lives',
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
    const source = readSource('src/analysis/verdict.ts');
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

  it('are named by src/analysis/verdict.ts alone', () => {
    expect(WORDS).toHaveLength(4);
    expect(SOURCES.filter(({ path }) => path !== 'src/analysis/verdict.ts').flatMap(problemsOf)).toEqual([]);
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
  const MAY_READ_CLOCK = ['src/cli', 'src/viewer', 'src/workflows', 'src/jobs', 'src/train'];

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
    for (const { names, target } of source.imports) {
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
