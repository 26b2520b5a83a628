/**
 * One model of the playground: asked an expression, changed or not, it says everything that a page shows of it. Over the WASM
 * engine and the lens alone, so that a browser and Node give the same bits. Browser-safe.
 */
import type { Engine, Intervention } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { promptsAlike } from '../lens/alike.js';
import { partNames } from '../lens/ablate.js';
import { type AttributionPart, attributionActivations } from '../lens/attribution.js';
import type { GeneratedToken } from '../lens/generate.js';
import { type Lens, type Pattern, openLens } from '../lens/lens.js';
import { residualStages } from '../lens/logit-lens.js';
import type { Prompt, TokenKind } from '../lens/prompt.js';
import { type LensRun, largestAt, logitsAt, probabilitiesOf } from '../lens/run.js';
import { type Expression, printExpression } from '../listops/language/expression.js';
import { type ActivationName, activationName } from '../model/activations.js';
import { Rng } from '../tensor/rng.js';
import {
  type Change,
  type SourceRows,
  changeableActivations,
  hasPart,
  interventionsOf,
  streamNames,
} from './changes.js';
import type { PlaygroundModel } from './document.js';

export interface Question {
  readonly ask: string;
  /** the expression whose activations are swapped in */
  readonly donor?: string | undefined;
  readonly changes: readonly Change[];
  /** which written token is looked into, from 0; absent: the first result */
  readonly token?: number | undefined;
}

export interface Candidate {
  readonly word: string;
  readonly probability: number;
}

export interface WrittenToken extends Candidate {
  /** what is right here; absent: the answer has left the chain, or none is known */
  readonly expected?: string;
  /** most probable first */
  readonly candidates: readonly Candidate[];
}

export interface Written {
  readonly tokens: readonly WrittenToken[];
  /** the whole answer is the true one; null: not known */
  readonly right: boolean | null;
}

/** One part's direct contribution. */
export interface Share {
  readonly part: AttributionPart;
  /** in units of the logit */
  readonly value: number;
}

export interface Look {
  /** prompt and answer, as tokens */
  readonly words: readonly string[];
  readonly kinds: readonly TokenKind[];
  /** tokens of the prompt */
  readonly promptLength: number;
  readonly written: Written;
  /** of the unchanged model; absent where nothing is changed */
  readonly before?: Written;
  /** the written token that is looked into */
  readonly token: number;
  /** the position that predicts it: promptLength + token - 1 */
  readonly position: number;
  /** what is explained: the right token where it is known, else the one written */
  readonly target: string;
  /** what the target's logit is compared with: the mean of these */
  readonly against: 'numbers' | 'tokens';
  readonly logitLens: readonly {
    readonly stage: ActivationName;
    readonly top: Candidate;
    readonly target: number;
  }[];
  readonly patterns: readonly Pattern[];
  readonly shares: readonly Share[];
  /** the sum of the shares */
  readonly total: number;
  /** parts named in a change that this model does not have */
  readonly absent: readonly string[];
  /** [dVocab] float32 at `position` */
  readonly logits: Float32Array;
}

/** How far swapping the donor's residual stream in, stage by stage and position by position, moves the answer. */
export interface SwapMap {
  readonly stages: readonly string[];
  readonly words: readonly string[];
  readonly donorWords: readonly string[];
  /** [stages][positions] 0: nothing, 1: as the donor; NaN: both prompts go on alike */
  readonly effects: readonly Float64Array[];
  readonly answer: string;
  readonly donorAnswer: string;
}

export interface Player {
  readonly model: PlaygroundModel;
  readonly lens: Lens;
  /** @throws UserError in one line */
  look(question: Question): Look;
  /** @throws UserError in one line */
  swapMap(question: Question): SwapMap;
  /**
   * Makes what the first change would wait for, so that it is as fast as the others: the means of an expression, and, the
   * first time, an answer that nobody sees, by which the program is compiled.
   */
  prepare(ask: string): void;
  dispose(): void;
}

/** As many as `sumlens inspect` takes means over. */
const ALIKE = 64;
const CANDIDATES = 5;
/** Expressions whose intact answers and sources are kept. */
const KEPT = 8;

export function openPlayer(engine: Engine, model: PlaygroundModel): Player {
  const { gpt, config, parameters } = model;
  const lens = openLens(engine.createModel(gpt, { parameters }, 'inference'), config);
  const { vocabulary } = lens;
  const capture = [
    ...new Set([
      ...attributionActivations(gpt.nLayers),
      // with something changed attribution reads neurons
      ...attributionActivations(gpt.nLayers, true),
      ...residualStages(gpt),
      ...Array.from({ length: gpt.nLayers }, (_, layer) => activationName('attn.pattern', layer)),
    ]),
  ];
  const sites = changeableActivations(gpt);
  const word = (token: number): string => vocabulary.tokens[token];

  const meansOf = keeping((ask: string): SourceRows => {
    const { expression } = lens.prompt(ask);
    if (expression === undefined)
      throw new UserError(
        'mean: found tokens that are no expression, expected one whose numbers can be drawn anew.',
      );
    const prompts = promptsAlike(lens, expression, ALIKE, new Rng(0, 'inspect'), { completion: 'true' });
    const length = prompts[0].tokens.length;
    const other = prompts.find(({ tokens }) => tokens.length !== length);
    if (other !== undefined) {
      throw new UserError(
        `mean: found expressions of ${length} and ${other.tokens.length} tokens, expected one length for a mean by position.`,
      );
    }
    const { activations } = lens.run(prompts, { capture: sites });
    return new Map([...activations].map(([at, x]) => [at, meanRows(x, ALIKE)]));
  });
  const donorOf = keeping((donor: string): { readonly prompt: Prompt; readonly rows: SourceRows } => {
    const prompt = lens.prompt(expressionText(donor), { completion: 'true' });
    return { prompt, rows: lens.run(prompt, { capture: sites }).activations };
  });
  const intactOf = keeping((ask: string): Written => {
    const prompt = lens.prompt(ask);
    return writtenOf(lens, prompt, lens.generate(prompt));
  });

  /** Of changes that this model has the parts for. */
  const interventionsFor = (question: Question, prompt: Prompt) => {
    const changes = question.changes.filter(({ part }) => hasPart(gpt, part));
    const sources = (how: 'mean' | 'swap'): SourceRows =>
      how === 'mean' ? meansOf(question.ask) : donorOf(checkedDonor(lens, prompt, question.donor)).rows;
    return (length: number): Intervention[] => interventionsOf(gpt, changes, sources, length);
  };

  const attributed = (run: LensRun, position: number, target: number) => {
    const isNumber = vocabulary.numberOf(target) !== undefined;
    const among = isNumber
      ? Array.from({ length: vocabulary.modulus }, (_, value) => vocabulary.numberToken(value))
      : Array.from({ length: vocabulary.size }, (_, token) => token);
    const of = new Map(among.map((token) => [token, (token === target ? 1 : 0) - 1 / among.length]));
    const { parts, values, total } = lens.attribution(run, { of, position });
    return {
      against: isNumber ? ('numbers' as const) : ('tokens' as const),
      shares: parts.map((part, p) => ({ part, value: values[0][p] })),
      total: total[0],
    };
  };

  let isWarm = false;
  const player: Player = {
    model,
    lens,
    look(question) {
      const prompt = lens.prompt(question.ask);
      const interventions = interventionsFor(question, prompt);
      const isChanged = question.changes.some(({ part }) => hasPart(gpt, part));
      const generated = isChanged
        ? lens.generate(prompt, { interventions, isByRow: true })
        : lens.generate(prompt);
      const written = writtenOf(lens, prompt, generated);
      if (generated.length === 0) throw contextFull(gpt.nCtx);
      const token = Math.min(
        question.token ?? firstResult(lens, prompt, question.ask, generated),
        generated.length - 1,
      );
      const position = prompt.tokens.length + token - 1;
      const tokens = Int32Array.from([...prompt.tokens, ...generated.map((own) => own.token)]);
      // the last written token predicts nothing that is shown
      const whole = { ...lens.prompt(tokens), tokens: tokens.subarray(0, -1) };
      const run = lens.run([whole], { capture, interventions: interventions(whole.tokens.length) });
      const target = generated[token].expected ?? generated[token].token;
      const lensed = lens.logitLens(run, [position]);
      return {
        words: lens.prompt(tokens).words,
        kinds: whole.kinds,
        promptLength: prompt.tokens.length,
        written,
        ...(isChanged ? { before: intactOf(question.ask) } : {}),
        token,
        position,
        target: word(target),
        logitLens: lensed.stages.map((stage, s) => {
          const probabilities = probabilitiesOf(lensed.logits[s][0]);
          const top = largestAt(probabilities);
          return {
            stage,
            top: { word: word(top), probability: probabilities[top] },
            target: probabilities[target],
          };
        }),
        patterns: lens.patterns(run),
        ...attributed(run, position, target),
        absent: question.changes.map(({ part }) => part).filter((part) => !hasPart(gpt, part)),
        logits: logitsAt(run, position).slice(),
      };
    },
    swapMap(question) {
      const asked = lens.prompt(question.ask);
      const donor = lens.prompt(expressionText(checkedDonor(lens, asked, question.donor)), {
        completion: 'true',
      });
      const intact = lens.generate(asked);
      const length =
        asked.tokens.length +
        Math.min(question.token ?? firstResult(lens, asked, question.ask, intact), intact.length - 1);
      const chains = [lens.prompt(expressionText(question.ask), { completion: 'true' }), donor];
      const [clean, corrupted] = chains.map((chain) => cutAt(chain, length));
      const stages = streamNames(gpt);
      const cells = stages.flatMap((name) => {
        const [layer, stage] = [Number(/\d+/.exec(name)?.[0]), name.slice(name.indexOf('.') + 1)];
        return Array.from({ length }, (_, position) => [
          { at: `blocks.${layer}.${stage}` as ActivationName, position },
        ]);
      });
      const { effect } = lens.patch({ clean, corrupted }, cells);
      return {
        stages,
        words: clean.words,
        donorWords: corrupted.words,
        effects: stages.map((_, s) => effect.slice(s * length, (s + 1) * length)),
        answer: word(answerToken(clean)),
        donorAnswer: word(answerToken(corrupted)),
      };
    },
    prepare(ask) {
      if (!isWarm) player.look({ ask, changes: [{ part: partNames(gpt)[0], how: 'zero' }] });
      isWarm = true;
      meansOf(ask);
    },
    dispose: () => lens.model.dispose(),
  };
  return player;
}

/** What a person typed up to the arrow: the expression itself. */
function expressionText(text: string): string {
  return text.replace(/\s[>=](?:\s.*)?$/s, '');
}

/** @throws UserError */
function checkedDonor(lens: Lens, prompt: Prompt, donor: string | undefined): string {
  if (donor === undefined || donor.trim() === '')
    throw new UserError('other prompt: found none, expected an expression whose activations are swapped in.');
  const other = lens.prompt(expressionText(donor));
  const own = prompt.expression === undefined ? prompt.tokens.length : arrowLength(prompt.kinds);
  const its = arrowLength(other.kinds);
  if (own === its) return donor;
  throw new UserError(
    `other prompt: found ${its} tokens, expected ${own} as in the first. Change numbers or operations, not how many there are.`,
  );
}

/** Tokens up to the arrow, which ends every prompt. */
function arrowLength(kinds: readonly TokenKind[]): number {
  const arrow = kinds.indexOf('arrow');
  return arrow === -1 ? kinds.length : arrow + 1;
}

/** The first tokens of a prompt on its true chain; what comes next is its completion. */
function cutAt(chain: Prompt, length: number): Prompt {
  const all = [...chain.tokens, ...(chain.completion ?? [])];
  if (length >= all.length) {
    throw new UserError(
      `swap: found ${all.length} tokens on the true chain, expected more than ${length}. Look at an earlier token.`,
    );
  }
  return {
    ...chain,
    tokens: Int32Array.from(all.slice(0, length)),
    words: chain.words.slice(0, length),
    kinds: chain.kinds.slice(0, length),
    completion: Int32Array.from(all.slice(length)),
  };
}

function answerToken({ completion }: Prompt): number {
  if (completion === undefined || completion.length === 0)
    throw new RangeError('A cut prompt has a completion.');
  return completion[0];
}

/** Which written token stands where a right answer has its first result; past it, the first number. */
function firstResult(lens: Lens, prompt: Prompt, ask: string, generated: readonly GeneratedToken[]): number {
  if (prompt.completion !== undefined && prompt.expression !== undefined) {
    const { tokens } = lens.prompt(expressionText(ask), { completion: 'result' });
    if (tokens.length >= prompt.tokens.length) return tokens.length - prompt.tokens.length;
  }
  const first = generated.findIndex(({ token }) => lens.vocabulary.numberOf(token) !== undefined);
  return Math.max(0, first);
}

/** The expression with its first number raised by one: something to swap with that differs in one place. */
export function neighbourOf(lens: Lens, ask: string): string {
  const { expression } = lens.prompt(expressionText(ask));
  if (expression === undefined) return '';
  let isRaised = false;
  const raised = (part: Expression): Expression => {
    if (typeof part !== 'number') return { ...part, operands: part.operands.map(raised) };
    if (isRaised) return part;
    isRaised = true;
    return (part + 1) % lens.vocabulary.modulus;
  };
  return printExpression(raised(expression));
}

function writtenOf(
  { vocabulary }: Lens,
  { completion }: Prompt,
  generated: readonly GeneratedToken[],
): Written {
  return {
    tokens: generated.map(({ word, probability, probabilities, expected }) => ({
      word,
      probability,
      ...(expected === undefined ? {} : { expected: vocabulary.tokens[expected] }),
      candidates: candidatesOf(probabilities, vocabulary.tokens),
    })),
    right:
      completion === undefined
        ? null
        : generated.length === completion.length &&
          generated.every(({ token }, t) => token === completion[t]),
  };
}

function candidatesOf(probabilities: Float64Array, tokens: readonly string[]): Candidate[] {
  const left = probabilities.slice();
  return Array.from({ length: Math.min(CANDIDATES, left.length) }, () => {
    const token = largestAt(left);
    left[token] = -1;
    return { word: tokens[token], probability: probabilities[token] };
  });
}

/** Mean over prompts of equal length, sums in float64. @param x - [P, rows, width] @returns [rows, width] */
function meanRows(x: Float32Array, count: number): Float32Array {
  const size = x.length / count;
  const sums = new Float64Array(size);
  for (let i = 0; i < x.length; i++) sums[i % size] += x[i];
  return Float32Array.from(sums, (sum) => sum / count);
}

function contextFull(nCtx: number): UserError {
  return new UserError(
    `expression: found ${nCtx} tokens, expected fewer: they fill the context of this model. Shorten it.`,
  );
}

/** Remembers the last few results; what is asked again and again while one prompt is changed. */
function keeping<T>(make: (key: string) => T): (key: string) => T {
  const kept = new Map<string, T>();
  return (key) => {
    const found = kept.get(key) ?? make(key);
    kept.delete(key);
    kept.set(key, found);
    const [oldest] = kept.keys();
    if (kept.size > KEPT) kept.delete(oldest);
    return found;
  };
}
