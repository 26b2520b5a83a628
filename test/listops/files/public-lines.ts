/** The 2,000 public lines, and an evaluator of their own notation that shares no code with the sources. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/io/package-root.js';

export const PUBLIC_FILE = join(packageRoot(), 'test', 'fixtures', 'listops', 'test_d20s_head2000.tsv');

export interface PublicLine {
  readonly label: number;
  readonly expression: string;
}

export const PUBLIC_LINES: readonly PublicLine[] = readFileSync(PUBLIC_FILE, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [label, expression] = line.split('\t');
    return { label: Number(label), expression };
  });

/** Words without the binary-parse parentheses. */
export function words(expression: string): string[] {
  return expression.split(' ').filter((word) => word !== '(' && word !== ')');
}

/** By rewriting text: the innermost call is replaced by its value until a number is left. */
export function evaluatePublic(expression: string): number {
  let text = words(expression).join(' ');
  const innermost = /\[(\w+) ([\d ]*?)\]/;
  for (let match = innermost.exec(text); match !== null; match = innermost.exec(text)) {
    const numbers = match[2].trim().split(/ +/).map(Number);
    text = text.replace(match[0], String(apply(match[1], numbers)));
  }
  return Number(text);
}

function apply(name: string, numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const total = numbers.reduce((sum, x) => sum + x, 0);
  if (name === 'MAX') return sorted[sorted.length - 1];
  if (name === 'MIN') return sorted[0];
  if (name === 'SM') return total % 10;
  const middle = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return Math.floor((middle[0] + middle[1]) / 2);
}

/** The expression as this project writes it: `(SUM 6 (MAX 1 2))`. */
export function standardText(expression: string): string {
  return words(expression).join(' ').replace(/\[SM/g, '(SUM').replace(/\[/g, '(').replace(/ \]/g, ')');
}
