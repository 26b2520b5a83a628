/** What was measured as rows of the table. */
import type { LabellingTest } from '../../src/analysis/classifiers/leave-pair-out.js';
import type { Scope } from '../../src/evidence/scope.js';
import { type NamedRow, type NullNumbers, Rows } from '../../src/evidence/statistic.js';
import type { CausalNumbers } from './causal.js';
import type { CodeNumbers } from './code-lengths.js';
import type { CellNumbers, ContextNumbers } from './context-probes.js';
import type { EmbeddingNumbers, ParityParts } from './measure.js';
import { LABELLINGS, lastOfKind, outerBracket } from './measurement.js';
import { BAG, type ParityStatistic, stageScope } from './statistics.js';

type Table = Rows<ParityStatistic>;

/** Labels dealt to the values at random, instead of residues. */
const RANDOM_LABELS = 'random labels';

export function rowsOf(parts: ParityParts): NamedRow<ParityStatistic>[] {
  const { context, lookAhead, code, causal } = parts;
  const rows: Table = new Rows();
  addEmbedding(rows, parts);
  if (context !== null) addFlat(rows, context, parts);
  for (const nested of lookAhead) {
    const places = placesOf(nested, parts);
    addReadout(rows, places, ({ kind }) => kind === 'ahead' || kind === 'predicted');
    for (const place of lastAt(places, outerBracket(nested)))
      addAccuracy(rows, 'look-ahead', place, nested.moduli.length - 1);
  }
  if (code !== null) addCode(rows, code, parts.sharedBlocks);
  if (causal !== null && !('reason' in causal)) addCausal(rows, causal);
  return rows.all;
}

const excess = ({ share, nullMean }: LabellingTest): number => share - nullMean;

/** Numbers of the embedding, the same of the untrained one as control. */
function addEmbedding(rows: Table, { n, embedding, untrained }: ParityParts): void {
  const add = (id: ParityStatistic, of: (one: EmbeddingNumbers) => number, own?: NullNumbers): void =>
    rows.add(id, {}, of(embedding), { control: of(untrained), examples: n, null: own });
  const { power } = embedding;
  if (!('reason' in power)) {
    const { null95: high, p, midP } = power;
    const before = ({ power: one }: EmbeddingNumbers): number => ('reason' in one ? NaN : one.power);
    add('parity-power', before, { mean: 0, high, p, midP });
  }
  for (const id of LABELLINGS) {
    const { null95, nullMean, p, midP } = embedding[id];
    add(id, (one) => excess(one[id]), { mean: 0, high: null95 - nullMean, p, midP });
  }
  const { nullMean: mean, null95: high, p, midP } = embedding.value;
  add('value', ({ value }) => value.r2, { mean, high, p, midP });
  const gained = excess(embedding.parity) - excess(untrained.parity);
  rows.add('parity-trained', {}, gained, { examples: n });
  add('affine-rank', ({ affineRank }) => affineRank);
}

/** A cell with the untrained model's at the same place; none for the bag. */
interface Place {
  readonly context: ContextNumbers;
  readonly cell: CellNumbers;
  readonly untrained?: CellNumbers;
  readonly scope: Scope;
  readonly examples: number;
}

function placesOf(context: ContextNumbers, { sharedBlocks }: ParityParts): Place[] {
  const { template, positions } = context;
  const place = (cell: CellNumbers, own: Scope): Place => {
    const { name, multisets: examples } = positions[cell.position];
    return { context, cell, scope: { template, ...own, position: name }, examples };
  };
  return [
    ...context.bag.map((cell) => place(cell, { part: BAG })),
    ...context.cells.map((cell, i) => ({
      ...place(cell, stageScope(cell.stage, sharedBlocks)),
      untrained: context.untrained[i],
    })),
  ];
}

/** After the last layer, at one position. */
function lastAt(places: readonly Place[], position: number): Place[] {
  return places
    .filter(({ cell, untrained }) => cell.position === position && untrained !== undefined)
    .slice(-1);
}

/** The flat expression: every place, and what is summed up where the result is predicted. */
function addFlat(rows: Table, context: ContextNumbers, parts: ParityParts): void {
  const places = placesOf(context, parts);
  addReadout(rows, places, () => true);
  const predicted = lastOfKind(context, 'predicted');
  for (const { cell, untrained, scope, examples } of places) {
    if (cell.position !== predicted) continue;
    cell.circleR2.forEach((value, k) => {
      const control = untrained?.circleR2[k];
      rows.add('frequency', { ...scope, frequency: k + 1 }, value, { control, examples });
    });
  }
  for (const place of lastAt(places, predicted)) {
    for (const m of context.moduli.keys()) addAccuracy(rows, 'readable', place, m);
    // folds are of numbers, not of sets of them
    addStrict(rows, 'strict-parity', { ...place, examples: parts.n }, 0.5);
  }
}

/** @param isWhole - whether residues are told: inside a nested expression they say what they say in a flat one */
function addReadout(
  rows: Table,
  places: readonly Place[],
  isWhole: (position: ContextNumbers['positions'][number]) => boolean,
): void {
  for (const place of places) {
    const { context, cell, scope, examples } = place;
    const position = context.positions[cell.position];
    const last = context.moduli.length - 1;
    for (let m = isWhole(position) ? 0 : last; m <= last; m++) addAccuracy(rows, 'readout', place, m);
    if (position.kind === 'predicted')
      rows.add('readout', { ...scope, method: RANDOM_LABELS }, cell.control, { examples });
    addStrict(rows, 'strict-readout', place, 0);
  }
}

function addAccuracy(rows: Table, id: ParityStatistic, place: Place, m: number): void {
  const { context, cell, untrained, scope, examples } = place;
  rows.add(id, { ...scope, divisor: context.moduli[m] }, cell.accuracy[m], {
    null: { mean: context.majority[cell.position][m] },
    control: untrained?.accuracy[m],
    examples,
  });
}

/** @param less - what chance gives, taken off */
function addStrict(
  rows: Table,
  id: ParityStatistic,
  { cell, untrained, scope, examples }: Place,
  less: number,
): void {
  if (cell.strict === null) return;
  const { share, nullMean, null95 } = cell.strict;
  rows.add(id, scope, share - less, {
    null: { mean: nullMean - less, high: null95 - less },
    control: (untrained?.strict?.share ?? NaN) - less,
    examples,
  });
}

/** What is saved after the last layer, and both lengths of every stage that was looked at. */
function addCode(rows: Table, code: CodeNumbers, sharedBlocks: boolean): void {
  const { prompts: examples, stages, trained, untrained } = code;
  const last = stages.length - 1;
  const saved = (of: CodeNumbers['trained']): number => of[last].random - of[last].parity;
  rows.add('code-saved', {}, saved(trained), { control: saved(untrained), examples });
  stages.forEach((stage, s) => {
    const scope = stageScope(stage, sharedBlocks);
    for (const labels of ['parity', 'random'] as const) {
      rows.add(`code-${labels}`, scope, trained[s][labels], { control: untrained[s][labels], examples });
    }
  });
}

function addCausal(rows: Table, causal: CausalNumbers): void {
  const { operation, prompts: examples, intact, parity, random, otherLabelling, removedShare } = causal;
  const add = (id: ParityStatistic, scope: Scope, value: number, control?: number): void =>
    rows.add(id, { operation, ...scope }, value, { control, examples });
  add('causal', {}, parity.lossNats - random.lossNats);
  add('accuracy-lost', {}, intact.accuracy - parity.accuracy, intact.accuracy - random.accuracy);
  const treatments = {
    intact,
    'without the parity direction': parity,
    'random moves (control)': random,
    'random labels (control)': otherLabelling,
  };
  for (const [method, { accuracy, lossNats }] of Object.entries(treatments)) {
    add('answers', { method }, accuracy);
    add('answer-loss', { method }, lossNats);
  }
  add('removed-share', {}, removedShare);
}
