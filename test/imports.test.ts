/** Rules about who may import whom, and which parts run in a browser, found by reading the sources. */
import { builtinModules } from 'node:module';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { isBelow, isFree, lineOf, SOURCES, visit } from './helpers/sources.js';

/** Where a file stands: it may import itself and any lower level, never a neighbour. Longest prefix counts. */
const LEVELS: readonly (readonly [prefix: string, level: number])[] = [
  ['src/cli', 14],
  ['src/index.ts', 14],
  ['src/viewer', 13],
  ['src/workflows', 12],
  ['probes', 11],
  ['src/train', 10],
  ['src/report', 10],
  ['src/playground', 9],
  ['src/jobs', 9],
  ['src/checkpoint', 8],
  ['src/engine/native', 8],
  ['src/engine/wasm', 8],
  ['src/engine/tfjs', 8],
  ['src/engine/registry.ts', 8],
  ['src/engine/build', 8],
  ['src/engine/kernels', 7],
  ['src/config', 7],
  ['src/lens', 7],
  ['src/engine/engine.ts', 6],
  ['src/model', 5],
  ['src/evidence', 5],
  ['src/listops', 4],
  ['src/analysis', 4],
  ['src/tensor', 3],
  ['src/io', 3],
  ['src/rules.ts', 3],
  ['src/errors.ts', 2],
  ['src/palette.ts', 2],
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
  'src/palette.ts',
  'src/rules.ts',
  'src/analysis',
  'src/evidence',
  'src/listops',
  'src/model',
  'src/engine/engine.ts',
  'src/lens',
  'src/engine/wasm',
  'src/playground',
  'src/report/charts',
  'src/report/marks',
  'src/checkpoint/format.ts',
];
const NOT_BROWSER_SAFE = ['src/listops/files/data-file.ts'];

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
    expect(SOURCES.length).toBeGreaterThan(50);
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
    expect(users.filter((path) => path !== 'src/cli/commands/serve.ts')).toEqual([]);
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
