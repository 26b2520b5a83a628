/** The charts of a report as a folder of figures for a paper: drawn without a browser, published whole, with an index. */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RunError, UserError, errorMessage, unacceptable } from '../../errors.js';
import { exists, isDirectory, listDirectory, publishDirectory, readText } from '../../io/files.js';
import { parseJsonStrict } from '../../io/json.js';
import { packageRoot, packageVersion } from '../../io/package-root.js';
import { figuresOf } from '../../report/figures/charts.js';
import { COLUMNS_MM } from '../../report/figures/options.js';
import type { Rasterize, RenderedFigure, RenderOptions } from '../../report/figures/render.js';
import type { Report } from '../../report/schema.js';

export type FigureOptions = Omit<RenderOptions, 'rasterize'>;

/** Names the files of the folder; what makes it ours. */
const INDEX = 'figures.json';
const README = 'README.md';
/** What an index says it is. */
const MARK = 'sumlens figures';
const MOST_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * Writes every chart of a report into `folder`, which afterwards holds all of them or what it held before.
 * @param folder - does not exist, is empty, or holds figures written before
 * @param command - the command line that makes the folder again
 * @returns names of the files, in their order
 * @throws UserError when the folder holds anything else, FileError when it cannot be written
 */
export async function writeFigures(
  report: Report,
  folder: string,
  options: FigureOptions,
  command: string,
): Promise<string[]> {
  checkFolder(folder);
  const rasterize = options.formats.includes('png') ? await loadRasterizer() : undefined;
  const { renderFigures } = await loadRenderer();
  const figures = await renderFigures(figuresOf(report), {
    ...options,
    ...(rasterize === undefined ? {} : { rasterize }),
  });
  const files = [
    ...figures.flatMap((figure) => figure.files),
    { name: README, bytes: readmeOf(report.title, figures, command) },
    { name: INDEX, bytes: indexOf(report.title, figures, options, command) },
  ];
  publishDirectory(folder, files, { replace: exists(folder) });
  return files.map(({ name }) => name);
}

/** @throws UserError when `folder` holds what was not written here */
export function checkFolder(folder: string): void {
  const refused = (what: string): UserError =>
    unacceptable(
      '--figures',
      folder,
      `a new or empty folder, or one of figures (${what})`,
      'Name another folder.',
    );
  if (!exists(folder)) return;
  if (!isDirectory(folder)) throw refused('it is a file');
  // it is replaced as a whole, under the feet of whoever stands in it
  if (resolve(folder) === resolve('.')) throw refused('it is the current one');
  const own = new Set([INDEX, ...ownFiles(join(folder, INDEX))]);
  const foreign = listDirectory(folder).find((name) => !own.has(name));
  if (foreign !== undefined) throw refused(`it holds ${foreign}, which ${INDEX} does not list`);
}

function ownFiles(index: string): readonly string[] {
  if (!exists(index) || isDirectory(index)) return [];
  try {
    const value = parseJsonStrict(readText(index, MOST_INDEX_BYTES), { where: index });
    const { what, files } = value as { readonly what?: unknown; readonly files?: unknown };
    return what === MARK && Array.isArray(files) ? files.filter((name) => typeof name === 'string') : [];
  } catch {
    // not an index of ours, so its folder is not either
    return [];
  }
}

async function loadRenderer(): Promise<typeof import('../../report/figures/render.js')> {
  const path = join(packageRoot(), 'dist', 'report-figures.js');
  if (!exists(path))
    throw new RunError('Figures cannot be drawn: dist/report-figures.js not found. Run "npm run build".');
  return (await import(pathToFileURL(path).href)) as typeof import('../../report/figures/render.js');
}

/** resvg draws with Arimo alone, which is as wide as Helvetica: the same pixels whatever fonts a machine has. */
async function loadRasterizer(): Promise<Rasterize> {
  try {
    const { Resvg } = await import('@resvg/resvg-js');
    const { resolve } = createRequire(import.meta.url);
    const fontFiles = ['400Regular/Arimo_400Regular', '700Bold/Arimo_700Bold'].map((name) =>
      resolve(`@expo-google-fonts/arimo/${name}.ttf`),
    );
    const font = { loadSystemFonts: false, fontFiles, defaultFontFamily: 'Arimo' };
    return (svg, width) => new Resvg(svg, { font, fitTo: { mode: 'width', value: width } }).render().asPng();
  } catch (error) {
    throw new UserError(
      `--format: PNG needs the optional packages @resvg/resvg-js and @expo-google-fonts/arimo (${errorMessage(error).split('\n')[0]}). Install them, or leave png out.`,
      { cause: error },
    );
  }
}

function indexOf(
  title: string,
  figures: readonly RenderedFigure[],
  { column, fontPt, dpi, formats }: FigureOptions,
  command: string,
): string {
  const index = {
    what: MARK,
    version: packageVersion(),
    report: title,
    command,
    options: { column, widthMm: COLUMNS_MM[column], fontPt, dpi, formats },
    files: [...figures.flatMap(({ files }) => files.map(({ name }) => name)), README, INDEX],
    figures: figures.map(({ chart, files, widthMm, heightMm, fontPt: drawnPt }) => ({
      name: chart.name,
      title: chart.title,
      caption: chart.caption,
      description: chart.description,
      files: files.map(({ name }) => name),
      widthMm,
      heightMm: Number(heightMm.toFixed(2)),
      fontPt: Number(drawnPt.toFixed(2)),
    })),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

function readmeOf(title: string, figures: readonly RenderedFigure[], command: string): string {
  const sections = figures.map(({ chart, files, missing, widthMm, heightMm, fontPt }) =>
    [
      `## ${plain(chart.title)}`,
      plain(chart.caption),
      `${files.map(({ name }) => `[${name}](${name})`).join(', ')}: ${widthMm} x ${heightMm.toFixed(0)} mm, names on axes ${fontPt.toFixed(1)} pt.`,
      ...(missing === '' ? [] : [`In the PDF these letters are replaced, which Helvetica lacks: ${missing}`]),
    ].join('\n\n'),
  );
  return `# Figures of "${plain(title)}"\n\nMade again by:\n\n    ${plain(command)}\n\n${sections.join('\n\n')}\n`;
}

/** One line, so that a title cannot begin a list or a heading. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
