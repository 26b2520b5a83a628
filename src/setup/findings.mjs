/** "What we find" of README.md and its picture, from the results of the plan `paper` alone. Needs the built project. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import prettier from 'prettier';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { ROOT } from './common.mjs';

export const BEGIN = '<!-- findings: made by npm run make:findings from reports/paper/results.jsonl -->';
export const END = '<!-- end of findings -->';
export const PICTURE = join('docs', 'images', 'what-we-find.svg');
const RESULTS = join('reports', 'paper', 'results.jsonl');
const WIDTH = 760;

const module = (path) => import(new URL(`../../dist/src/${path}`, import.meta.url).href);

/** @returns {Promise<{ text: string, svg: string | undefined }>} text between the markers, and the picture */
export async function makeFindings(results = join(ROOT, RESULTS)) {
  const { findingsOf } = await module('workflows/sweep/results/findings.js');
  const { findPlan } = await module('workflows/sweep/bundled.js');
  const { expandPlan } = await module('workflows/sweep/plan/expand.js');
  const { readResults } = await module('workflows/sweep/results/results-file.js');
  const found = findingsOf(readResults(results), expandPlan(findPlan('paper', 'paper')));
  const { sentences, table, differences, progress, picture } = found;
  const markdown = `## What we find

${sentences.map((sentence) => `- ${sentence}`).join('\n')}

${picture === undefined ? '' : `![${picture.title}](${PICTURE})\n`}
Verdicts are computed by rules fixed before the runs; estimates have 99.17 % intervals. ${progress}

${table}

What comes out otherwise than the paper says, and why it may:

${differences}

The report of these runs is [reports/paper/index.html](reports/paper/index.html), its numbers are in
\`reports/paper/results.jsonl\`; after \`npm run setup\`, \`npx sumlens verdicts reports/paper/results.jsonl\` decides the
claims again. The plan, and how to run it again: [docs/sweeps.md](docs/sweeps.md).
`;
  return {
    text: `${BEGIN}\n\n${await formatted(markdown)}\n${END}`,
    svg: picture === undefined ? undefined : await draw(picture.spec),
  };
}

/** README.md with the text in its place. */
export function withFindings(readme, text) {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`README.md lacks the marks "${BEGIN}" and "${END}".`);
  return readme.slice(0, from) + text + readme.slice(to + END.length);
}

async function formatted(markdown) {
  const file = join(ROOT, 'README.md');
  const options = (await prettier.resolveConfig(file)) ?? {};
  return prettier.format(markdown, { ...options, filepath: file });
}

async function draw(spec) {
  const { themed } = await module('report/theme.js');
  const { spec: compiled } = vegaLite.compile(
    themed({ ...spec, spec: { ...spec.spec, width: WIDTH - 100 } }, 'light', [], WIDTH),
  );
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

export const readReadme = () => readFileSync(join(ROOT, 'README.md'), 'utf8');
