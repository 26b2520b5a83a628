/** Text of `sumlens inspect`, in 80 columns. A pure function of what workflows/inspect.ts found. */
import type { Candidate, Inspection } from '../../workflows/inspect.js';
import { formatTable } from './table.js';

const WIDTH = 80;
/** characters of a cell in grids over positions */
const CELL = 6;
const BAR = 24;

export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string): string => text;
const code =
  (n: number) =>
  (text: string): string =>
    `\u001b[${n}m${text}\u001b[0m`;

/** Colours where the terminal has them. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isOn = stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return isOn ? { good: code(32), bad: code(31), faint: code(2) } : { good: plain, bad: plain, faint: plain };
}

/** @param title - what was asked: the checkpoint */
export function inspectionText(title: string, found: Inspection, paint: Paint): string {
  return [
    title,
    '',
    ...answerLines(found, paint),
    '',
    `Looked into before the result ${found.result}: ${found.tokens.join(' ')}`,
    '',
    'Logit lens: what the answer would be after each stage',
    formatTable(
      ['stage', 'answer', 'probability', `of ${found.result}`],
      found.logitLens.map(({ stage, top, right }) => [
        stage,
        top.token,
        share(top.probability),
        share(right),
      ]),
    ),
    '',
    'Attention of the last position, percent',
    ...grid(
      found.tokens,
      found.attention.map(({ head, weights }) => [head, weights.map((w) => (100 * w).toFixed(0))]),
    ),
    '',
    ...attributionLines(found),
    ...(found.patch === undefined ? [] : ['', ...patchLines(found.tokens, found.patch)]),
    ...(found.ablation === undefined ? [] : ['', ...ablationLines(found, paint)]),
  ].join('\n');
}

const share = (p: number): string => `${(100 * p).toFixed(1)} %`;

function answerLines({ prompt, answer, right }: Inspection, paint: Paint): string[] {
  const verdict =
    right === null
      ? 'not judged: the prompt has left the true chain'
      : right
        ? paint.good('right')
        : paint.bad('wrong');
  const wrong = answer.find(({ token, expected }) => expected !== undefined && token !== expected);
  return [
    `${prompt} ${answer.map(({ token }) => token).join(' ')}   ${verdict}`,
    ...(wrong === undefined ? [] : [`first wrong token: ${wrong.token}, expected ${wrong.expected ?? ''}`]),
    formatTable(
      ['token', 'probability', 'other candidates'],
      answer.map(({ token, probability, candidates }) => [
        token,
        share(probability),
        candidates
          .filter((other) => other.token !== token)
          .map(candidateText)
          .join(', '),
      ]),
    ),
  ];
}

const candidateText = ({ token, probability }: Candidate): string => `${token} ${share(probability)}`;

/** A row a name and a column a token, broken into blocks that fit the width. */
function grid(
  tokens: readonly string[],
  rows: readonly (readonly [name: string, cells: readonly string[]])[],
): string[] {
  const first = Math.max(...rows.map(([name]) => name.length)) + 1;
  const columns = Math.max(1, Math.floor((WIDTH - first) / CELL));
  const lines: string[] = [];
  for (let from = 0; from < tokens.length; from += columns) {
    const line = (name: string, cells: readonly string[]): string =>
      `${name.padEnd(first)}${cells
        .slice(from, from + columns)
        .map((cell) => cell.slice(0, CELL - 1).padStart(CELL))
        .join('')}`.trimEnd();
    lines.push(line('', tokens), ...rows.map(([name, cells]) => line(name, cells)));
  }
  return lines;
}

function attributionLines({ attribution: { total, parts }, result }: Inspection): string[] {
  const most = Math.max(...parts.map(({ value }) => Math.abs(value)), 1e-12);
  const sorted = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const name = Math.max(...parts.map(({ part }) => part.length));
  return [
    `What speaks for ${result}: its logit less the mean over numbers is ${total.toFixed(2)}, the sum of`,
    ...sorted.map(({ part, value }) => {
      const length = Math.round((BAR * Math.abs(value)) / most);
      const bar = value < 0 ? '-'.repeat(length) : '+'.repeat(length);
      return `${part.padEnd(name)}  ${value.toFixed(2).padStart(7)}  ${bar}`.trimEnd();
    }),
  ];
}

function patchLines(tokens: readonly string[], patch: NonNullable<Inspection['patch']>): string[] {
  const percent = (effect: number | null): string =>
    effect === null ? '-' : String(Math.round(100 * effect) + 0);
  return [
    `Patched from ${patch.corruptedTokens.join(' ')}`,
    `logit difference ${patch.clean.toFixed(2)} becomes ${patch.corruptedValue.toFixed(2)}; percent of the way, by place`,
    ...grid(
      tokens,
      patch.positions.map(({ stage, effects }) => [stage, effects.map(percent)]),
    ),
    ...(patch.clean === patch.corruptedValue
      ? ['the answer is the same in both: there is no way to move']
      : []),
    `heads at all positions: ${patch.heads.map(({ head, effect }) => `${head} ${percent(effect)}`).join(', ')}`,
  ];
}

function ablationLines({ ablation, result }: Inspection, paint: Paint): string[] {
  if (ablation === undefined) return [];
  const { parts, by, top, right, before } = ablation;
  const isKept = top[0].token === result;
  return [
    `Without ${parts.join(', ')} (${by}): ${top.map(candidateText).join(', ')}   ${isKept ? paint.good('still right') : paint.bad('wrong')}`,
    `probability of ${result}: ${share(before)} before, ${share(right)} after`,
  ];
}
