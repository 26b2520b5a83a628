/** The pictures: scores of the embeddings, what is readable where, what the model needs. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { scopeKey, scopeText } from '../../src/evidence/scope.js';
import { groupName, summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { counted, percent, readable } from '../../src/report/charts/common.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import type { AskedTemplate } from './measure.js';
import { lastOfKind, LABELLINGS } from './measurement.js';
import { type Asked, notUnlearned, type ReadCell, type Reading } from './reading.js';

const named = (...ids: readonly string[]): string[] => ids.map((id) => `parity-probe/${id}`);
/** Width and height of a cell of layers by positions. */
const CELL = [40, 20] as const;
const NARROW = [30, 20] as const;
const CROSSED = 'not above the untrained model, the bag of operands and guessing';

export function parityPictures(
  evidence: Evidence,
  flat: readonly Reading[],
  nested: readonly Reading[],
): ChartSpec[] {
  const of = (...ids: readonly string[]) => named(...ids).flatMap((id) => summariesOf(evidence, id));
  const shown = notUnlearned(flat);
  const ahead = notUnlearned(nested);
  return [
    pointsChart(pointRows(of('parity-power', ...LABELLINGS, 'value')), {
      id: 'parity-scores',
      title: 'Can even numbers be told from odd ones?',
      note: 'Parity power: variance of the embeddings at k = n/2 beside isotropic noise, none for an odd n. The others: held-out score less that of random labels, 0 is chance; below it neighbours are alike, as on a line or ring.',
      axis: 'Octaves, or score above random labels',
      category: 'Condition',
      columns: 3,
      reference: 0,
      headline: true,
    }),
    readoutPicture(shown),
    ...causalPicture(of('answers'), of('removed-share')),
    ...(ahead.length === 0 ? [] : [lookAheadPicture(ahead)]),
    layersPicture(shown, {
      id: 'parity-strict',
      title: 'Is the parity of the result computed on the way, or only a by-product?',
      note: 'The mean activation of each value; the probe is asked about one even and one odd value it was not fitted on.',
      value: 'Score above 1/2',
      asked: () => ['strict'],
      domain: [-0.5, 0.5],
      crossed: 'not above the untrained model, the bag, 95 % of relabellings, or no residue is readable',
    }),
    frequencyPicture(evidence, shown),
    ...codePicture(of('code-parity', 'code-random')),
  ];
}

/** Nothing where no run has learned. */
function causalPicture(answers: readonly Summary[], removed: readonly Summary[]): ChartSpec[] {
  if (answers.length === 0) return [];
  const shares = removed.map((one) => `${groupName(one)} ${readable(100 * one.mean, 2)} %`);
  const rows = pointRows(answers, {
    panel: () => 'Right answers',
    category: ({ scope }) => scope.method ?? '',
  });
  return [
    pointsChart(rows, {
      id: 'parity-causal',
      title: 'Does the model need the parity direction to add?',
      note: `The direction that a probe for parity finds is projected out of the number tokens of the input; the output layer stays. Controls: every number moved as far in a random direction; the directions of random labellings. Variance of the embeddings along it: ${shares.join(', ')}.`,
      axis: 'Accuracy (% of result tokens)',
      category: 'Input',
      share: true,
    }),
  ];
}

/** Layer by layer; of the last layer alone a finding is enough. */
function codePicture(lengths: readonly Summary[]): ChartSpec[] {
  if (new Set(lengths.map(({ scope }) => scopeKey(scope))).size < 2) return [];
  const stages = [...new Set(lengths.map(({ scope }) => scopeText(scope)))];
  // both lengths of a stage below each other
  const inOrder = stages.flatMap((stage) => lengths.filter(({ scope }) => scopeText(scope) === stage));
  const rows = pointRows(inOrder, {
    panel: groupName,
    category: ({ scope, info }) =>
      `${scopeText(scope)}: ${info.id === 'code-parity' ? 'parity' : 'random labels'}`,
  });
  return [
    pointsChart(rows, {
      id: 'parity-code',
      title: 'How short is parity?',
      note: 'Bits a label at the position that predicts the result. 1: what a label costs without the model. Parity is there as such where it is shorter than random labels of the results.',
      axis: 'Bits a label',
      category: 'After',
      reference: 1,
    }),
  ];
}

function readoutPicture(readings: readonly Reading[]): ChartSpec {
  return layersPicture(readings, {
    id: 'parity-readout',
    title: 'Where does the result become readable?',
    note: 'Held-out accuracy between always guessing the most frequent (0) and certainty (1), operands in another order never count as new. Layers upwards; the model predicts the result at ">" and reads its own token at "result" (positive control).',
    value: 'Above guessing',
    asked: ({ moduli }) => moduli,
    domain: [0, 1],
    crossed: CROSSED,
  });
}

function lookAheadPicture(readings: readonly Reading[]): ChartSpec {
  return layersPicture(readings, {
    id: 'parity-look-ahead',
    title: 'Does a model know the final answer before it writes the inner step?',
    note: 'Held-out accuracy between guessing (0) and certainty (1). "outer" positions and ">" are asked for the final answer, which the model writes only later: what is not crossed out there is an answer ahead of its time. "inner" ones are asked for the inner result.',
    value: 'Above guessing',
    asked: ({ moduli }) => moduli.slice(-1),
    domain: [0, 1],
    crossed: CROSSED,
    describe: describeAhead,
  });
}

interface Layers {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly value: string;
  readonly asked: (context: AskedTemplate) => readonly Asked[];
  readonly domain: readonly [number, number];
  readonly crossed: string;
  /** default: layer by layer where the result is predicted */
  readonly describe?: (reading: Reading, asked: readonly Asked[]) => string;
}

/** A panel a condition, template and question: layers upwards by positions. */
function layersPicture(
  readings: readonly Reading[],
  { id, title, note, value, asked, domain, crossed, describe = describePath }: Layers,
): ChartSpec {
  const templates = new Set(readings.map(({ context }) => context.template));
  const panelOf = ({ name, context }: Reading, one: Asked): string => {
    const parts = [
      ...(templates.size > 1 ? [context.template] : []),
      ...(typeof one === 'number' && asked(context).length > 1 ? [residue(one, context)] : []),
    ];
    return parts.length === 0 ? name : `${name}: ${parts.join(', ')}`;
  };
  const cells = readings.flatMap((reading) =>
    asked(reading.context).flatMap((one) =>
      reading.context.positions.flatMap(({ name, kind }, position) => {
        const bag = reading.bag(position, one);
        return [...reading.path(position, one).toReversed(), ...(bag === undefined ? [] : [bag])].map(
          (cell): HeatCell => ({
            panel: panelOf(reading, one),
            x: name,
            y: cell.stage,
            value: cell.aboveGuessing,
            // the bag is what others are compared with, and a token's own value is in every model
            ...(cell === bag || kind === 'own' ? {} : { undecided: !cell.isAbove }),
            ...(cell.low === undefined ? {} : { low: cell.low }),
            ...(cell.high === undefined ? {} : { high: cell.high }),
          }),
        );
      }),
    ),
  );
  const positions = longest(readings.map(({ context }) => context.positions.map(({ name }) => name)));
  return heatMapChart(cells, {
    id,
    title,
    note: `${subtitleOf(readings)} ${note}`,
    x: 'Position',
    y: 'After',
    value,
    diverging: domain[0] < 0,
    domain,
    cell: positions.length > 6 ? NARROW : CELL,
    angle: -35,
    columns: Math.min(3, Math.max(1, ...readings.map(({ context }) => asked(context).length))),
    crossed,
    order: { x: positions, y: stagesOf(readings) },
    summary: readings.map((reading) => describe(reading, asked(reading.context))).join(' '),
  });
}

/** Which frequencies of the result carry it, layer by layer, where it is predicted. */
function frequencyPicture(evidence: Evidence, readings: readonly Reading[]): ChartSpec {
  const names = new Set(readings.map(({ name }) => name));
  const summaries = summariesOf(evidence, 'parity-probe/frequency').filter((one) =>
    names.has(groupName(one)),
  );
  const stage = ({ scope: { part = '', layer } }: Summary): string =>
    layer === undefined ? part : `${part} ${layer}`;
  return heatMapChart(
    summaries.map((one) => ({
      panel: groupName(one),
      x: String(one.scope.frequency),
      y: stage(one),
      value: one.mean,
    })),
    {
      id: 'parity-frequencies',
      title: 'Which frequency carries the result?',
      note: `${subtitleOf(readings)} Held-out R² of cos and sin of 2πks/n where the result s is predicted, mean over runs; k = 1 is once around the ring, the highest k of an even modulus is parity. Below 0 is drawn as 0.`,
      x: 'Frequency k',
      y: 'After',
      value: 'R²',
      diverging: false,
      domain: [0, 1],
      cell: Math.max(0, ...summaries.map(({ scope }) => scope.frequency ?? 0)) > 8 ? [20, 20] : CELL,
      order: { y: stagesOf(readings) },
      summary: readings
        .map(({ name, context }) => {
          const last = context.stages.at(-1);
          const own = summaries.filter((one) => groupName(one) === name && stage(one) === last);
          const values = own.map((one) => `${readable(one.mean, 2)} at k = ${one.scope.frequency}`);
          return `${name}, last layer: R² ${values.join(', ')}.`;
        })
        .join(' '),
    },
  );
}

/** `3 runs that learned SUM, 300 prompts (SUM # # #).` A run of which it is not known is not said to have learned. */
function subtitleOf(readings: readonly Reading[]): string {
  if (readings.length === 0) return 'No runs.';
  const byGroup = new Map(readings.map(({ group, name, runs }) => [name, { group, runs }]));
  const runs = [...byGroup.values()].reduce((sum, one) => sum + one.runs, 0);
  const learned = readings.every(({ group }) => group.learned === true) ? ' that learned SUM' : '';
  const prompts = Math.min(...readings.map(({ context }) => context.prompts));
  const templates = [...new Set(readings.map(({ context }) => context.template))].join(', ');
  return `${counted(runs, 'run')}${learned}, ${prompts} prompts ${templates}.`;
}

/** Where the result is predicted, layer by layer. */
function describePath(reading: Reading, asked: readonly Asked[]): string {
  const { name, context } = reading;
  const position = lastOfKind(context, 'predicted');
  const steps = (path: readonly ReadCell[]): string =>
    path.map(({ stage, mean }) => `${readable(mean, 2)} after ${stage}`).join(', ');
  const parts = asked.flatMap((one) => {
    const path = reading.path(position, one);
    return path.length === 0 ? [] : [`${residue(one, context)}: ${steps(path)}`];
  });
  if (parts.length === 0) return `${name}, ${context.template}: not asked where the result is predicted.`;
  return `${name}, ${context.template}, where the result is predicted, ${parts.join('; ')}.`;
}

/** The final answer after the last layer, where it is asked. */
function describeAhead(reading: Reading, [answer]: readonly Asked[]): string {
  const { name, context } = reading;
  const parts = context.positions.flatMap((position, p) => {
    const last = reading.path(p, answer).at(-1);
    if (last === undefined || (position.kind !== 'ahead' && position.kind !== 'predicted')) return [];
    const where = position.kind === 'ahead' ? `at ${position.name}` : 'where it is predicted';
    return [`${where} ${percent(last.mean, 0)} (${percent(last.floor, 0)} without it)`];
  });
  return `${name}, ${context.template}, final answer right after the last layer: ${parts.join(', ')}.`;
}

function residue(asked: Asked, { moduli }: AskedTemplate): string {
  if (asked === 'strict') return 'parity of values not fitted on';
  return asked === moduli.at(-1) ? 'the number itself' : asked === 2 ? 'parity' : `modulo ${asked}`;
}

/** Layers upwards, the bag of operands below them. */
function stagesOf(readings: readonly Reading[]): string[] {
  const stages = longest(readings.map(({ context }) => context.stages));
  return [
    ...stages.toReversed(),
    ...readings.flatMap((one) => one.bag(0, one.context.moduli[0])?.stage ?? []),
  ];
}

function longest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.reduce<readonly T[]>((best, list) => (list.length > best.length ? list : best), []);
}
