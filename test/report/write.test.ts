import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerReport } from '../../src/cli/commands/report.js';
import { fileSystem, withFileSystem } from '../../src/io/files.js';
import { parseReport } from '../../src/report/parse-report.js';
import { reportJson } from '../../src/report/report-json.js';
import { writeReport } from '../../src/report/write.js';
import { buildReportRuntime } from '../../src/setup/build-report.mjs';
import { exampleReport } from './example-report.js';

const report = exampleReport({ seeds: 1, points: 4 });
let folder = '';

beforeAll(async () => {
  // the set-up has made it; a single test file may run before the set-up
  const root = join(import.meta.dirname, '..', '..');
  if (!existsSync(join(root, 'dist', 'report-runtime.css'))) await buildReportRuntime({ root });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-write-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('writeReport', () => {
  it('writes a report that parses and a page, the same bytes again, and replaces an older one', () => {
    const target = join(folder, 'quick');
    const { jsonPath, pagePath } = writeReport(report, target);
    const first = [readFileSync(jsonPath, 'utf8'), readFileSync(pagePath, 'utf8')];
    expect(reportJson(parseReport(first[0], 'report.json'))).toBe(first[0]);
    writeReport(report, target);
    expect([readFileSync(jsonPath, 'utf8'), readFileSync(pagePath, 'utf8')]).toEqual(first);
    expect(readdirSync(folder)).toEqual(['quick']);
  });

  it('leaves a directory alone that holds something else', () => {
    const target = join(folder, 'mine');
    mkdirSync(target);
    writeFileSync(join(target, 'notes.txt'), 'keep');
    expect(() => writeReport(report, target)).toThrow(/exists already/);
    expect(readdirSync(target)).toEqual(['notes.txt']);
  });

  it('leaves nothing behind when the disk is full, and the older report as it was', () => {
    const target = join(folder, 'quick');
    writeReport(report, target);
    const before = readFileSync(join(target, 'report.json'), 'utf8');
    const real = fileSystem();
    const full = Object.assign(Object.create(real) as typeof real, {
      ...real,
      writeSync: () => {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    });
    const changed = { ...report, title: 'other' };
    expect(() => withFileSystem(full, () => writeReport(changed, target))).toThrow(/disk is full/);
    expect(readFileSync(join(target, 'report.json'), 'utf8')).toBe(before);
    expect(readdirSync(folder)).toEqual(['quick']);
  });
});

describe('sumlens report', () => {
  let out = '';
  async function run(...words: string[]): Promise<void> {
    out = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const program = new Command().exitOverride();
    registerReport(program);
    await program.parseAsync(['node', 'sumlens', 'report', ...words]);
  }

  it('draws one page a report, beside it, and names them with --json', async () => {
    const paths = ['a', 'b'].map((name) => join(folder, name));
    for (const path of paths) {
      mkdirSync(path);
      writeFileSync(join(path, 'report.json'), reportJson(report));
    }
    await run(paths[0], join(paths[1], 'report.json'), '--json');
    const pages = paths.map((path) => join(path, 'index.html'));
    expect(JSON.parse(out)).toEqual({ pages });
    expect(readFileSync(pages[0], 'utf8')).toBe(readFileSync(pages[1], 'utf8'));
  });

  it('writes to --out', async () => {
    writeFileSync(join(folder, 'report.json'), reportJson(report));
    await run(join(folder, 'report.json'), '--out', join(folder, 'page.html'));
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('<!doctype html>');
  });

  it('prints the JSON schema', async () => {
    await run('--schema');
    expect(JSON.parse(out)).toMatchObject({ type: 'object', additionalProperties: false });
  });

  it('refuses bad input in one line and writes no page', async () => {
    writeFileSync(join(folder, 'report.json'), '{"schemaVersion": 2, "kind": "claims"}');
    await expect(run()).rejects.toThrow(/^report: found no file/);
    await expect(run(join(folder, 'nothing.json'))).rejects.toThrow(/^report: found ".*", expected/);
    await expect(run(folder)).rejects.toThrow(/report\.json: title: [^\n]+$/);
    await expect(run('a', 'b', '--out', 'x')).rejects.toThrow(/^--out: found "x", expected one report/);
    expect(existsSync(join(folder, 'index.html'))).toBe(false);
  });
});
