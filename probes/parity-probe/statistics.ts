/** Which numbers a checkpoint gives. Controls are the same run before training, or an equal random disturbance. */
import type { Scope } from '../../src/evidence/scope.js';
import type { NullNumbers, Statistic, StatisticInfo, StatisticRow } from '../../src/evidence/statistic.js';
import type { LabellingTest } from '../../src/analysis/leave-pair-out.js';
import type { CausalNumbers } from './causal.js';
import type { CellNumbers, ContextNumbers } from './context-probes.js';
import type { EmbeddingNumbers, ParityMeasurement } from './measure.js';
import { type LabellingName, lastOfKind, outerBracket } from './measurement.js';

type Info = Omit<StatisticInfo, 'controlName' | 'tested'>;

const BEFORE = 'before training';
const OWN_NULL = { tested: 'own-null', controlName: BEFORE } as const;
const EVERY_RELABELLING = 'every relabelling with the same class sizes, one-sided';

/** In place of the residual stream: the sum of the operands' embeddings. */
export const BAG = 'bag of numbers';
/** Labels dealt to the values at random, instead of residues. */
export const RANDOM_LABELS = 'random labels';

/** A number of the embedding with the same number of the untrained embedding as control. */
function ofEmbedding(
  info: Info,
  value: (numbers: EmbeddingNumbers) => number,
  test?: (numbers: EmbeddingNumbers) => NullNumbers,
): Statistic<ParityMeasurement> {
  return {
    ...info,
    ...(test === undefined ? { controlName: BEFORE } : OWN_NULL),
    of: ({ n, embedding, untrained }) => [
      {
        value: value(embedding),
        control: value(untrained),
        examples: n,
        ...(test === undefined ? {} : { null: test(embedding) }),
      },
    ],
  };
}

const excess = ({ share, nullMean }: LabellingTest): number => share - nullMean;

/** Selectivity: the score of a labelling less that of random labels of the same class sizes. */
function selectivity(
  id: LabellingName,
  title: string,
  sentence: string,
  isControl = false,
): Statistic<ParityMeasurement> {
  return ofEmbedding(
    {
      id,
      title,
      formula: 'leave-pair-out score - mean of its relabellings (selectivity)',
      unit: '1',
      sentence: `${sentence}, from the token embeddings, beyond random labels`,
      testMethod: EVERY_RELABELLING,
      reference: 0,
      ...(isControl ? { compared: false } : {}),
    },
    (numbers) => excess(numbers[id]),
    ({ [id]: test }) => ({ mean: 0, high: test.null95 - test.nullMean, p: test.p, midP: test.midP }),
  );
}

/** Where a cell is, as data. @param stage - 0 the embedding, then attention and feed-forward in turn */
export function stageScope(stage: number, sharedBlocks: boolean): Scope {
  if (stage === 0) return { part: 'embedding' };
  const part = stage % 2 === 1 ? 'attention' : 'feed-forward';
  return { part: sharedBlocks ? `${part} pass` : part, layer: Math.floor((stage - 1) / 2) };
}

/** A cell with the untrained model's at the same place; none for the bag. */
interface Place {
  readonly context: ContextNumbers;
  readonly cell: CellNumbers;
  readonly untrained?: CellNumbers;
  readonly scope: Scope;
  readonly examples: number;
}

function placesOf(context: ContextNumbers, sharedBlocks: boolean): Place[] {
  const { template, positions } = context;
  const place = (cell: CellNumbers, own: Scope, untrained?: CellNumbers): Place => {
    const { name, multisets } = positions[cell.position];
    return {
      context,
      cell,
      scope: { template, ...own, position: name },
      examples: multisets,
      ...(untrained === undefined ? {} : { untrained }),
    };
  };
  return [
    ...context.bag.map((cell) => place(cell, { part: BAG })),
    ...context.cells.map((cell, i) =>
      place(cell, stageScope(cell.stage, sharedBlocks), context.untrained[i]),
    ),
  ];
}

const contextsOf = ({ context, lookAhead }: ParityMeasurement): ContextNumbers[] =>
  context === null ? [...lookAhead] : [context, ...lookAhead];

/** Every cell of every template. */
const everyPlace = (measurement: ParityMeasurement): Place[] =>
  contextsOf(measurement).flatMap((context) => placesOf(context, measurement.sharedBlocks));

/** After the last layer, at one position. */
const lastPlace = (measurement: ParityMeasurement, context: ContextNumbers, position: number): Place[] =>
  placesOf(context, measurement.sharedBlocks)
    .filter(({ cell, untrained }) => cell.position === position && untrained !== undefined)
    .slice(-1);

/** Where the result of the flat expression is predicted, after the last layer. */
const predictedPlace = (measurement: ParityMeasurement): Place[] =>
  measurement.context === null
    ? []
    : lastPlace(measurement, measurement.context, lastOfKind(measurement.context, 'predicted'));

function accuracyRow({ context, cell, untrained, scope, examples }: Place, m: number): StatisticRow {
  return {
    scope: { ...scope, divisor: context.moduli[m] },
    value: cell.accuracy[m],
    null: { mean: context.majority[cell.position][m] },
    ...(untrained === undefined ? {} : { control: untrained.accuracy[m] }),
    examples,
  };
}

const accuracyRows = (place: Place): StatisticRow[] =>
  place.context.moduli.map((_, m) => accuracyRow(place, m));

/** @param less - what chance gives, taken off */
function strictRows({ cell, untrained, scope, examples }: Place, less: number): StatisticRow[] {
  if (cell.strict === null) return [];
  const { share, nullMean, null95 } = cell.strict;
  const control = untrained?.strict?.share;
  return [
    {
      scope,
      value: share - less,
      null: { mean: nullMean - less, high: null95 - less },
      ...(control === undefined ? {} : { control: control - less }),
      examples,
    },
  ];
}

/** A number of the causal check. */
function ofCausal(
  info: Info & { readonly controlName?: string },
  rows: (numbers: CausalNumbers) => readonly Omit<StatisticRow, 'examples'>[],
): Statistic<ParityMeasurement> {
  return {
    ...info,
    counts: 'learned',
    of: ({ causal }) =>
      causal === null || 'reason' in causal
        ? []
        : rows(causal).map((row) => ({
            ...row,
            scope: { operation: causal.operation, ...row.scope },
            examples: causal.prompts,
          })),
  };
}

const TREATMENTS: readonly (readonly [string, (numbers: CausalNumbers) => CausalNumbers['intact']])[] = [
  ['intact', ({ intact }) => intact],
  ['without the parity direction', ({ parity }) => parity],
  ['random moves (control)', ({ random }) => random],
  ['random labels (control)', ({ otherLabelling }) => otherLabelling],
];

const treated =
  (pick: keyof CausalNumbers['intact']) =>
  (numbers: CausalNumbers): StatisticRow[] =>
    TREATMENTS.map(([method, of]) => ({ scope: { method }, value: of(numbers)[pick] }));

const DETAIL = { detail: true } as const;
const READ = 'held-out accuracy, folds by set of numbers';
const STRICT = 'leave-pair-out parity of the mean activation of each value';

export const PARITY_STATISTICS: readonly Statistic<ParityMeasurement>[] = [
  {
    id: 'parity-power',
    title: 'Parity power (octaves)',
    formula: 'log2((n-1) x share of centred embedding variance at k = n/2)',
    unit: 'octaves',
    sentence:
      'parity in the number embeddings, above isotropic noise (an odd number of numbers has no k = n/2, and gives none)',
    ...OWN_NULL,
    testMethod: 'every labelling into equal halves, one-sided',
    reference: 0,
    of({ n, embedding: { power: own }, untrained: { power: before } }) {
      if ('reason' in own) return [];
      const { power: value, null95: high, p, midP } = own;
      const control = 'reason' in before ? {} : { control: before.power };
      return [{ value, ...control, null: { mean: 0, high, p, midP }, examples: n }];
    },
  },
  selectivity('parity', 'Even or odd', 'parity of a held-out pair of numbers'),
  selectivity('half', 'Low or high half', 'low against high numbers'),
  selectivity(
    'residue3',
    'Residue modulo 3 (control)',
    'residue modulo 3 (a control: 3 has no meaning in the tasks)',
    true,
  ),
  selectivity('prime', 'Prime or not (control)', 'prime or not (a control)', true),
  ofEmbedding(
    {
      id: 'value',
      title: 'Value (R²)',
      formula: 'leave-one-out R² of ridge regression',
      unit: '1',
      sentence: 'value of a held-out number, from the token embeddings',
      testMethod: 'numbers permuted, one-sided',
      reference: 0,
      compared: false,
    },
    ({ value }) => value.r2,
    ({ value: { nullMean: mean, null95: high, p, midP } }) => ({ mean, high, p, midP }),
  ),
  {
    id: 'parity-trained',
    title: 'Even or odd, gained by training',
    formula: 'selectivity of parity - the same before training',
    unit: '1',
    sentence: 'parity score of the token embeddings, trained minus before training',
    reference: 0,
    compared: false,
    of: ({ n, embedding, untrained }) => [
      { value: excess(embedding.parity) - excess(untrained.parity), examples: n },
    ],
  },
  ofEmbedding(
    {
      id: 'affine-rank',
      title: 'Rank of the centred embeddings',
      formula: 'rank of the centred embeddings',
      unit: '1',
      sentence:
        'rank of the centred embeddings; at n - 1 they separate every labelling, so accuracy without held-out numbers means nothing',
      compared: false,
    },
    ({ affineRank }) => affineRank,
  ),
  {
    id: 'readable',
    title: 'Result readable where it is predicted',
    formula: READ,
    unit: 'accuracy',
    sentence: 'result, or its residue, read where it is predicted after the last layer',
    counts: 'learned',
    controlName: BEFORE,
    of: (measurement) => predictedPlace(measurement).flatMap(accuracyRows),
  },
  {
    id: 'strict-parity',
    title: 'Parity of results not fitted on',
    formula: `${STRICT} after the last layer - 1/2`,
    unit: '1',
    sentence: 'parity of results the probe was not fitted on, where the result is predicted',
    counts: 'learned',
    controlName: BEFORE,
    reference: 0,
    of: (measurement) =>
      predictedPlace(measurement).flatMap((place) =>
        // folds are of numbers, not of sets of them
        strictRows({ ...place, examples: measurement.n }, 0.5),
      ),
  },
  {
    id: 'look-ahead',
    title: 'Final answer readable before the inner step',
    formula: READ,
    unit: 'accuracy',
    sentence: 'final answer read at the closing bracket, before the inner result is written',
    counts: 'learned',
    controlName: BEFORE,
    of: (measurement) =>
      measurement.lookAhead.flatMap((context) =>
        lastPlace(measurement, context, outerBracket(context)).map((place) =>
          accuracyRow(place, context.moduli.length - 1),
        ),
      ),
  },
  ofCausal(
    {
      id: 'causal',
      title: 'Loss without the parity direction, beyond equal moves',
      formula: 'loss without the parity direction - loss after equal random moves, result tokens',
      unit: 'nats',
      sentence:
        'loss added by removing the parity direction of the number tokens, beyond as large random moves',
      reference: 0,
    },
    ({ parity, random }) => [{ value: parity.lossNats - random.lossNats }],
  ),
  ofCausal(
    {
      id: 'accuracy-lost',
      title: 'Accuracy lost without the parity direction',
      formula: 'accuracy intact - accuracy without the parity direction, result tokens',
      unit: 'accuracy',
      sentence: 'accuracy lost by removing the parity direction of the number tokens',
      controlName: 'lost by as large random moves',
      reference: 0,
    },
    ({ intact, parity, random }) => [
      { value: intact.accuracy - parity.accuracy, control: intact.accuracy - random.accuracy },
    ],
  ),
  ofCausal(
    {
      id: 'answers',
      title: 'Accuracy with numbers changed in the input',
      formula: 'share of result tokens right',
      unit: 'accuracy',
      sentence: 'accuracy on results with the number tokens changed',
      ...DETAIL,
    },
    treated('accuracy'),
  ),
  ofCausal(
    {
      id: 'answer-loss',
      title: 'Loss with numbers changed in the input',
      formula: 'loss of result tokens',
      unit: 'nats',
      sentence: 'loss on results with the number tokens changed',
      ...DETAIL,
    },
    treated('lossNats'),
  ),
  ofCausal(
    {
      id: 'removed-share',
      title: 'Variance along the parity direction',
      formula: 'share of the squared norm of the centred embeddings along the parity direction',
      unit: '1',
      sentence: 'share of the variance of the numbers along the parity direction',
      ...DETAIL,
    },
    ({ removedShare }) => [{ value: removedShare }],
  ),
  {
    id: 'readout',
    title: 'Readable in the residual stream',
    formula: READ,
    unit: 'accuracy',
    sentence: 'what is asked at a position, or its residue, read after a layer',
    map: { x: ['position'], y: ['part', 'layer'] },
    ...DETAIL,
    controlName: BEFORE,
    of: (measurement) =>
      everyPlace(measurement).flatMap((place) => {
        const { context, cell, scope, examples } = place;
        const { kind } = context.positions[cell.position];
        // inside a nested expression residues say what they say in a flat one
        const isWhole = context === measurement.context || kind === 'ahead' || kind === 'predicted';
        return [
          ...accuracyRows(place).slice(isWhole ? 0 : -1),
          ...(kind === 'predicted'
            ? [{ scope: { ...scope, method: RANDOM_LABELS }, value: cell.control, examples }]
            : []),
        ];
      }),
  },
  {
    id: 'strict-readout',
    title: 'Parity of values not fitted on, in the residual stream',
    formula: STRICT,
    unit: '1',
    sentence: 'parity of values the probe was not fitted on, read after a layer',
    ...DETAIL,
    controlName: BEFORE,
    of: (measurement) => everyPlace(measurement).flatMap((place) => strictRows(place, 0)),
  },
  {
    id: 'frequency',
    title: 'Frequency of the result',
    formula: 'held-out R² of cos and sin of 2 pi k s / n by ridge regression',
    unit: '1',
    sentence: 'frequency k of the result, read where it is predicted after a layer',
    ...DETAIL,
    controlName: BEFORE,
    of(measurement) {
      const { context, sharedBlocks } = measurement;
      if (context === null) return [];
      return placesOf(context, sharedBlocks)
        .filter(({ cell }) => cell.position === lastOfKind(context, 'predicted'))
        .flatMap(({ cell, untrained, scope, examples }) =>
          cell.circleR2.map((value, k) => ({
            scope: { ...scope, frequency: k + 1 },
            value,
            ...(untrained === undefined ? {} : { control: untrained.circleR2[k] }),
            examples,
          })),
        );
    },
  },
];
