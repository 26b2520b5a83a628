/** `sumlens report --figures`: a folder of figures, whole or not at all. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { figuresOf } from '../../../src/report/figures/charts.js';
import { reportJson } from '../../../src/report/report-json.js';
import { runCli, withFolder } from '../../helpers/cli.js';
import { describeNeeding } from '../../helpers/needs.js';
import { exampleReport } from '../../report/example-report.js';

/** Why no PNG can be drawn without a browser: an optional package is not installed. */
function missingRasterizer(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  try {
    ['@resvg/resvg-js', '@expo-google-fonts/arimo/package.json'].forEach((name) => resolve(name));
    return undefined;
  } catch {
    return 'the optional packages @resvg/resvg-js and @expo-google-fonts/arimo (npm install --include=optional).';
  }
}

const report = exampleReport({ seeds: 1, points: 4, conditions: 2 });
const names = figuresOf(report).charts.map(({ name }) => name);
const read = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]));

describeNeeding(missingRasterizer(), 'report --figures --format png', () => {
  it(
    'draws pictures of the width asked for, the same again',
    () =>
      withFolder((folder) => {
        writeFileSync(join(folder, 'report.json'), reportJson(report));
        const written = ['one', 'two'].map((out) => {
          const args = ['report', 'report.json', '--figures', out, '--format', 'png', '--dpi', '150'];
          expect(runCli(args, folder)).toEqual({ code: 0, stdout: '', stderr: `${out}\n` });
          return names.map((name) => readFileSync(join(folder, out, `${name}.png`)));
        });
        expect(written[1]).toEqual(written[0]);
        // 85 mm at 150 dots an inch
        for (const png of written[0]) expect(png.readUInt32BE(16)).toBe(502);
      }),
    180_000,
  );
});

describe('report --figures', { timeout: 180_000 }, () => {
  it('writes every chart with an index, again with the same bytes, and no page', () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'report.json'), reportJson(report));
      const args = ['report', 'report.json', '--figures', 'out', '--format', 'csv,svg'];
      const first = runCli(args, folder);
      expect([first.code, first.stdout, first.stderr]).toEqual([0, '', 'out\n']);
      const out = join(folder, 'out');
      const files = names.flatMap((name) => ['csv', 'svg'].map((format) => `${name}.${format}`));
      expect(readdirSync(out).sort()).toEqual([...files, 'README.md', 'figures.json'].sort());
      expect(existsSync(join(folder, 'index.html'))).toBe(false);
      const index = JSON.parse(readFileSync(join(out, 'figures.json'), 'utf8')) as {
        readonly command: string;
        readonly figures: readonly {
          readonly name: string;
          readonly title: string;
          readonly caption: string;
        }[];
      };
      expect(index.figures.map(({ name }) => name)).toEqual(names);
      for (const { title, caption } of index.figures)
        expect([title === '', caption === '']).toEqual([false, false]);
      const before = read(out);
      // the command of the index, in the same place, over the folder that it made
      expect(runCli(index.command.split(' ').slice(1), folder).code).toBe(0);
      expect(read(out)).toEqual(before);
    }));

  it('leaves a folder alone that holds anything else', () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'report.json'), reportJson(report));
      mkdirSync(join(folder, 'mine'));
      writeFileSync(join(folder, 'mine', 'paper.tex'), 'mine');
      const { code, stderr } = runCli(['report', 'report.json', '--figures', 'mine'], folder);
      expect([code, stderr]).toEqual([
        2,
        'sumlens: --figures: found "mine", expected a new or empty folder, or one of figures (it holds paper.tex, which figures.json does not list). Name another folder.\n',
      ]);
      expect(read(join(folder, 'mine'))).toEqual({ 'paper.tex': Buffer.from('mine').toString('base64') });
      expect(runCli(['report', 'report.json', '--figures', '.'], folder).stderr).toContain(
        'it is the current one',
      );
    }));

  it('answers a bad value with one line that says what is expected, and writes nothing', () =>
    withFolder((folder) => {
      writeFileSync(join(folder, 'report.json'), reportJson(report));
      for (const [args, message] of [
        [
          ['--column', 'singel'],
          '--column: found "singel", expected one of single, double. Did you mean single?',
        ],
        [['--format', 'svg,tiff'], '--format: found "tiff", expected one of svg, pdf, png, csv.'],
        [['--dpi', '30'], '--dpi: found 30, expected a whole number from 72 to 1200.'],
        [['--font-size', '3'], '--font-size: found 3, expected 4 to 24 points.'],
        [['--font-size', 'big'], '--font-size: found "big", expected a number, e.g. 3, 0.5 or 2e-3.'],
      ] as const) {
        const { code, stderr } = runCli(['report', 'report.json', '--figures', 'out', ...args], folder);
        expect([code, stderr]).toEqual([2, `sumlens: ${message}\n`]);
      }
      const alone = runCli(['report', 'report.json', '--dpi', '300'], folder);
      expect([alone.code, alone.stderr]).toEqual([
        2,
        'sumlens: --dpi is about figures. Add --figures <folder>, or leave --dpi away.\n',
      ]);
      expect(readdirSync(folder)).toEqual(['report.json']);
    }));
});
