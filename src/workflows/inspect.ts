/** Everything `sumlens inspect` says of one prompt and one checkpoint, as plain data. */
import { UserError } from '../errors.js';
import { type Ablation, parsePart } from '../lens/ablate.js';
import { promptsAlike } from '../lens/alike.js';
import { partName } from '../lens/attribution.js';
import type { Lens } from '../lens/lens.js';
import { type PatchCell, answerOf, headCells, positionCells } from '../lens/patch.js';
import type { Prompt } from '../lens/prompt.js';
import { largestAt, logitsAt, probabilitiesOf, rowOf } from '../lens/run.js';
import type { DataConfig } from '../listops/data-config.js';
import { type Call, type Expression, expressionDepth } from '../listops/language/expression.js';
import type { OperationName } from '../listops/language/operations.js';
import { Rng } from '../tensor/rng.js';

export interface InspectOptions {
  /** a second expression of the same form, whose activations go into the first */
  readonly patch?: string;
  readonly ablate?: readonly string[];
  readonly by?: Ablation;
}

export interface Candidate {
  readonly token: string;
  readonly probability: number;
}

export interface Inspection {
  readonly prompt: string;
  /** the model's own greedy answer, token by token */
  readonly answer: readonly (Candidate & {
    readonly expected?: string;
    readonly candidates: readonly Candidate[];
  })[];
  /** the whole answer is the true one; null: not known */
  readonly right: boolean | null;
  /** tokens up to where the first result comes next: what is looked into */
  readonly tokens: readonly string[];
  /** the result that is right there */
  readonly result: string;
  readonly logitLens: readonly {
    readonly stage: string;
    readonly top: Candidate;
    /** probability of the right result */
    readonly right: number;
  }[];
  /** of the last position: weight on every token */
  readonly attention: readonly { readonly head: string; readonly weights: readonly number[] }[];
  readonly attribution: {
    /** logit of the right result less the mean logit of all numbers */
    readonly total: number;
    readonly parts: readonly { readonly part: string; readonly value: number }[];
  };
  readonly patch?: {
    readonly corrupted: string;
    readonly corruptedTokens: readonly string[];
    readonly clean: number;
    readonly corruptedValue: number;
    /** by residual stage and position; null where both runs give the same answer */
    readonly positions: readonly { readonly stage: string; readonly effects: readonly (number | null)[] }[];
    readonly heads: readonly { readonly head: string; readonly effect: number | null }[];
  };
  readonly ablation?: {
    readonly parts: readonly string[];
    readonly by: Ablation;
    readonly top: readonly Candidate[];
    readonly right: number;
    /** of the intact model */
    readonly before: number;
  };
}

/** Prompts of the same form that means and donors are taken from. */
const ALIKE = 64;
const CANDIDATES = 3;

/** @throws UserError in one line */
export function inspect(lens: Lens, text: string, options: InspectOptions = {}): Inspection {
  const asked = lens.prompt(text);
  const { vocabulary } = lens;
  const word = (token: number): string => vocabulary.tokens[token];
  const generated = lens.generate(asked);
  const expected = asked.completion;
  const prompt = atResult(lens, text, asked);
  const result = answerOf(prompt);
  const run = lens.run(prompt);
  const row = rowOf(run);
  const lensed = lens.logitLens(run, [row]);
  const numbers = Array.from({ length: vocabulary.modulus }, (_, value) => vocabulary.numberToken(value));
  const of = new Map(numbers.map((token) => [token, (token === result ? 1 : 0) - 1 / numbers.length]));
  const { parts, values, total } = lens.attribution(run, { of });
  const T = prompt.tokens.length;
  const { ablate = [] } = options;
  return {
    prompt: asked.words.join(' '),
    answer: generated.map(({ word: token, probability, probabilities, expected: own }) => ({
      token,
      probability,
      candidates: candidatesOf(lens, probabilities),
      ...(own === undefined ? {} : { expected: word(own) }),
    })),
    right:
      expected === undefined
        ? null
        : generated.length === expected.length && generated.every(({ token }, t) => token === expected[t]),
    tokens: prompt.words,
    result: word(result),
    logitLens: lensed.stages.map((stage, s) => {
      const probabilities = probabilitiesOf(lensed.logits[s][0]);
      return { stage, top: candidatesOf(lens, probabilities)[0], right: probabilities[result] };
    }),
    attention: lens.patterns(run).map(({ layer, head, weights }) => ({
      head: `L${layer}H${head}`,
      weights: [...weights.subarray((T - 1) * T)],
    })),
    attribution: {
      total: total[0],
      parts: parts.map((part, p) => ({ part: partName(part), value: values[0][p] })),
    },
    ...(options.patch === undefined ? {} : { patch: patched(lens, prompt, options.patch) }),
    ...(ablate.length === 0 ? {} : { ablation: ablated(lens, prompt, ablate, options.by ?? 'mean') }),
  };
}

/** What of an expression the run was not trained on, in sentences: what the model says of it is then no result of training. */
export function notTrained(
  run: string,
  { tasks, depth }: DataConfig,
  expression: Call | undefined,
): string[] {
  if (expression === undefined) return [];
  const asked = new Set<OperationName>();
  const visit = (part: Expression): void => {
    if (typeof part === 'number') return;
    asked.add(part.operation);
    part.operands.forEach(visit);
  };
  visit(expression);
  const foreign = [...asked].filter((operation) => !tasks.includes(operation));
  const found = expressionDepth(expression);
  return [
    ...(foreign.length === 0
      ? []
      : [
          `${run}: trained on ${tasks.join(', ')} and never on ${foreign.join(', ')}; what it says is a guess.`,
        ]),
    ...(found <= depth
      ? []
      : [
          `${run}: trained on ${depth === 1 ? 'single calls' : `calls nested ${depth} deep`}, asked ${found} deep.`,
        ]),
  ];
}

/** The prompt on along the true chain to its first result; tokens that are not on a chain are refused. */
function atResult(lens: Lens, text: string, asked: Prompt): Prompt {
  const next = asked.completion?.[0];
  if (next !== undefined && lens.vocabulary.numberOf(next) !== undefined) return asked;
  if (asked.expression === undefined || asked.completion === undefined) {
    throw new UserError(
      `expression: found "${text}", which leaves the true chain, expected its beginning: what is right is not known.`,
    );
  }
  if (asked.completion.length === 0) {
    throw new UserError(
      `expression: found "${text}", after which nothing comes, expected one that is not finished. Leave out the end.`,
    );
  }
  const whole = lens.prompt(text.replace(/\s[>=](?:\s.*)?$/s, ''), { completion: 'result' });
  return whole.tokens.length >= asked.tokens.length ? whole : asked;
}

function candidatesOf({ vocabulary }: Lens, probabilities: Float64Array): Candidate[] {
  const left = probabilities.slice();
  return Array.from({ length: Math.min(CANDIDATES, left.length) }, () => {
    const token = largestAt(left);
    left[token] = -1;
    return { token: vocabulary.tokens[token], probability: probabilities[token] };
  });
}

function patched(lens: Lens, clean: Prompt, text: string): NonNullable<Inspection['patch']> {
  const corrupted = lens.prompt(text, { completion: 'result' });
  const { config } = lens.model;
  const T = clean.tokens.length;
  if (corrupted.tokens.length !== T) {
    throw new UserError(
      `--patch: found "${text}" of ${corrupted.tokens.length} tokens up to its result, expected ${T} as in the expression asked: change numbers or operations, not how many there are.`,
    );
  }
  const layers = Array.from({ length: config.nLayers }, (_, layer) => layer);
  const stages = ['resid_pre', 'resid_mid', 'resid_post'] as const;
  const named = [
    ...layers.flatMap((layer) =>
      stages.flatMap((stage) =>
        // after a block is before the next
        stage === 'resid_post' && layer < config.nLayers - 1
          ? []
          : [
              {
                stage: `blocks.${layer}.${stage}`,
                cells: positionCells(config, stage, T).slice(layer * T, (layer + 1) * T),
              },
            ],
      ),
    ),
  ];
  const heads = headCells(config);
  const all: PatchCell[] = [...named.flatMap(({ cells }) => cells), ...heads];
  const { effect, clean: from, corrupted: to } = lens.patch({ clean, corrupted }, all);
  const effectAt = (cell: number): number | null => (Number.isNaN(effect[cell]) ? null : effect[cell]);
  return {
    corrupted: text,
    corruptedTokens: corrupted.words,
    clean: from[0],
    corruptedValue: to[0],
    positions: named.map(({ stage, cells }, s) => ({
      stage,
      effects: cells.map((_, t) => effectAt(s * T + t)),
    })),
    heads: heads.map((_, h) => ({
      head: `L${Math.floor(h / config.nHeads)}H${h % config.nHeads}`,
      effect: effectAt(named.length * T + h),
    })),
  };
}

function ablated(
  lens: Lens,
  prompt: Prompt,
  parts: readonly string[],
  by: Ablation,
): NonNullable<Inspection['ablation']> {
  const others =
    prompt.expression === undefined
      ? []
      : promptsAlike(lens, prompt.expression, ALIKE, new Rng(0, 'inspect'), { completion: 'result' });
  const { config } = lens.model;
  const run = lens.ablate([prompt, ...others], { parts: parts.map((part) => parsePart(part, config)), by });
  const probabilities = probabilitiesOf(logitsAt(run, rowOf(run)));
  const before = lens.run(prompt);
  const result = answerOf(prompt);
  return {
    parts,
    by,
    top: candidatesOf(lens, probabilities),
    right: probabilities[result],
    before: probabilitiesOf(logitsAt(before, rowOf(before)))[result],
  };
}
