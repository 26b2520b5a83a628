/**
 * A second implementation of the data, written for the tests alone: reads printed text, has its own definitions of the
 * operations, reduces by itself and collects the operands of every reduction. Imports nothing from src/listops.
 */
export interface Settings {
  readonly modulus: number;
  readonly median: 'lower' | 'upper' | 'mean-truncated';
  /** rank of each number in the foreign order */
  readonly ranks: readonly number[];
  /** rows of the tables */
  readonly latin: readonly (readonly number[])[];
  readonly table: readonly (readonly number[])[];
}

export interface Step {
  readonly name: string;
  readonly operands: number[];
  readonly result: number;
}

const mod = (x: number, n: number): number => ((x % n) + n) % n;

function middle(values: number[], rule: Settings['median']): number {
  // by counting: the k-th least is the number with fewer than k below it and at least k up to it
  const kth = (k: number): number => {
    const found = values.find(
      (v) => values.filter((w) => w < v).length < k && values.filter((w) => w <= v).length >= k,
    );
    if (found === undefined) throw new Error('no median');
    return found;
  };
  const n = values.length;
  if (n % 2 === 1) return kth((n + 1) / 2);
  if (rule === 'lower') return kth(n / 2);
  if (rule === 'upper') return kth(n / 2 + 1);
  return Math.floor((kth(n / 2) + kth(n / 2 + 1)) / 2);
}

export function apply(name: string, operands: number[], settings: Settings): number {
  const { modulus: n, median, ranks, latin, table } = settings;
  const foreign = (plain: string): number =>
    ranks.indexOf(
      apply(
        plain,
        operands.map((a) => ranks[a]),
        settings,
      ),
    );
  const [first, ...rest] = operands;
  switch (name) {
    case 'MAX':
      return operands.toSorted((a, b) => b - a)[0];
    case 'MIN':
      return operands.toSorted((a, b) => a - b)[0];
    case 'MED':
      return middle(operands, median);
    case 'SUM': {
      let total = 0;
      for (const a of operands) for (let i = 0; i < a; i++) total = total + 1 === n ? 0 : total + 1;
      return total;
    }
    case 'PROD':
      return Number(operands.map(BigInt).reduce((p, a) => p * a, 1n) % BigInt(n));
    case 'NADD':
      return mod(
        rest.reduce((total, a, i) => (i % 2 === 0 ? total - a : total + a), first),
        n,
      );
    case 'FIRST':
      return first;
    case 'MAXp':
      return foreign('MAX');
    case 'MINp':
      return foreign('MIN');
    case 'MEDp':
      return foreign('MED');
    case 'GSUM':
      return foreign('SUM');
    case 'LATIN':
      return rest.reduce((value, a) => latin[value][a], first);
    case 'TABLE':
      return rest.reduce((value, a) => table[value][a], first);
    default:
      throw new Error(`no such operation: ${name}`);
  }
}

/** Reduces an expression text: repeatedly the leftmost bracket without a bracket inside. */
export function reduceText(text: string, settings: Settings): { steps: Step[]; texts: string[] } {
  const steps: Step[] = [];
  const texts = [text];
  let current = text;
  for (;;) {
    const match = /\((\w+)((?: \d+)+)\)/.exec(current);
    if (match === null) break;
    const operands = match[2].trim().split(' ').map(Number);
    const result = apply(match[1], operands, settings);
    steps.push({ name: match[1], operands, result });
    current = current.slice(0, match.index) + String(result) + current.slice(match.index + match[0].length);
    texts.push(current);
  }
  if (!/^\d+$/.test(current)) throw new Error(`not an expression: ${text}`);
  return { steps, texts };
}

/** Reads a printed example back; throws where what it writes is not what its expression reduces to. */
export function readExample(text: string, settings: Settings): Step[] {
  const body = /^s (.*) e$/.exec(text);
  if (body === null) throw new Error(`not an example: ${text}`);
  if (body[1].includes(' = ')) {
    const [expression, answer] = body[1].split(' = ');
    const { steps, texts } = reduceText(expression, settings);
    if (texts.at(-1) !== answer) throw new Error(`wrong answer: ${text}`);
    return steps;
  }
  const segments = body[1].split(' > ');
  const { steps, texts } = reduceText(segments[0], settings);
  if (texts.join(' > ') !== segments.join(' > ')) throw new Error(`wrong reduction: ${text}`);
  return steps;
}

/** Whether `operands` hold every number of `set` at least as often as it does. */
export function contains(operands: readonly number[], set: readonly number[]): boolean {
  const left = operands.slice();
  return set.every((a) => {
    const at = left.indexOf(a);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** Roles of the words of a printed example after its first arrow, from the difference between segments. */
export function rolesOf(text: string): string[] {
  const roles: string[] = [];
  const segments = text
    .replace(/^s | e$/g, '')
    .split(' > ')
    .map((segment) => segment.match(/[()]|\w+/g) ?? []);
  for (let i = 1; i < segments.length; i++) {
    const [before, after] = [segments[i - 1], segments[i]];
    let same = 0;
    while (before[same] === after[same]) same++;
    after.forEach((word, at) => {
      const isBracket = word === '(' || word === ')';
      roles.push(at === same ? 'result' : isBracket ? 'format' : 'copy');
    });
    roles.push('format');
  }
  return roles;
}
