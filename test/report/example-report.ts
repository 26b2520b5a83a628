/**
 * A synthetic report of realistic size: two regimes, three mixtures, six seeds, two modules, all verdicts. Numbers come
 * from a seeded generator and mean nothing; `hostile` puts the strings given into every name, label and text.
 */
import { CLAIMS, claimPart } from '../../src/evidence/claims-file.js';
import type { ClaimResult } from '../../src/evidence/claims.js';
import type { Interval } from '../../src/evidence/finding.js';
import type { Observation, StatisticInfo } from '../../src/evidence/statistic.js';
import { VERDICT, VERDICTS } from '../../src/evidence/verdict.js';
import { chart, smallMultiples, type Row } from '../../src/report/charts/common.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import { type PointRow, pointsChart } from '../../src/report/marks/points.js';
import type {
  ChartSpec,
  Finding,
  ModuleReport,
  Report,
  Subject,
  TrainingRecord,
} from '../../src/report/schema.js';

const CLAIM_PART_IDS = CLAIMS.flatMap(({ parts }) => parts.map(({ id }) => id));

export interface ExampleOptions {
  readonly seeds?: number;
  readonly points?: number;
  /** replaces names and texts: called with the text that would stand there */
  readonly text?: (usual: string) => string;
  /** how many of the conditions, default all five; more than five come again at other widths */
  readonly conditions?: number;
  readonly kind?: Report['kind'];
}

interface Condition {
  readonly tasks: readonly string[];
  readonly regime: 'full' | 'pairs';
  readonly learnsSum: boolean;
}

const CONDITIONS: readonly Condition[] = [
  { tasks: ['MAX', 'MED', 'SUM'], regime: 'full', learnsSum: true },
  { tasks: ['SUM'], regime: 'full', learnsSum: false },
  { tasks: ['MAX', 'MED', 'SUM'], regime: 'pairs', learnsSum: true },
  { tasks: ['SUM'], regime: 'pairs', learnsSum: true },
  { tasks: ['FIRST', 'SUM'], regime: 'full', learnsSum: true },
];
const CHANCE: Readonly<Record<string, number>> = { MAX: 0.23, MED: 0.17, SUM: 0.1, FIRST: 0.1 };

/** Uniform in [0, 1), a small linear congruential generator: fixtures need no better one. */
function uniform(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function exampleReport(options: ExampleOptions = {}): Report {
  const { seeds = 6, points = 60, text = (usual: string) => usual } = options;
  const conditions = Array.from({ length: options.conditions ?? CONDITIONS.length }, (_, c) => ({
    ...CONDITIONS[c % CONDITIONS.length],
    dModel: 16 * (1 + Math.floor(c / CONDITIONS.length)),
  }));
  const subjects: Subject[] = [];
  const training: TrainingRecord[] = [];
  for (const [c, condition] of conditions.entries()) {
    const { tasks, regime, dModel } = condition;
    for (let seed = 1; seed <= seeds; seed++) {
      const width = dModel === 16 ? '' : `-d${dModel}`;
      const run = text(`${tasks.join('-').toLowerCase()}-${regime}${width}-s${seed}`);
      const label = text(`${tasks.join('+')}, ${regime}, d=${dModel}`);
      const record = trainingRecord(condition, seed, points, uniform(100 * c + seed));
      const named = { run, condition: `c${c}`, label, seed, parameters: 8112 };
      training.push({ ...named, ...record });
      const last = record.points.at(-1)?.accuracy ?? {};
      subjects.push({
        ...named,
        id: `${run}@8000`,
        step: 8000,
        weightsSha256: `${c}${seed}`.padEnd(64, 'a7f30c'),
        final: true,
        accuracy: Object.fromEntries(tasks.map((task) => [text(task), last[task] ?? 0])),
        learned: Object.fromEntries(tasks.map((task) => [text(task), last[task] ?? 0])),
        design: {
          tasks: tasks.map(text),
          regime,
          modulus: 10,
          depth: 1,
          nested: false,
          operands: [2, 3],
          dModel,
          nLayers: 2,
          steps: 8000,
          learningRate: 0.002,
          embeddingInit: 0.02,
          startKind: 'scratch',
          startTasks: '',
          end: 'budget',
          trainedHere: true,
          generated: true,
          comparable: regime,
          match: `${regime}, ${dModel}`,
          family: `${regime}, ${dModel}`,
          ladder: regime,
        },
      });
    }
  }
  const labels = [...new Set(subjects.map(({ label }) => label))];
  const left = subjects.filter(({ label }) => label === labels[1]);
  return {
    schemaVersion: 2,
    kind: options.kind ?? 'claims',
    title: text('Joint training and SUM alone, modulus 10, depth 1'),
    subjects,
    observations: observations(subjects, text),
    claims: claimResults(text),
    training: training.map((record) => rename(record, text)),
    modules: {
      [text('embedding-geometry')]: geometryModule(labels, left, text),
      [text('component-effects')]: effectsModule(labels, left, text),
      [text('broken')]: {
        ...emptyModule('A module that failed', text),
        status: 'failed',
        reason: text('the time limit of 120 s was reached at sum-full-s1@8000'),
      },
    },
    provenance: {
      version: '0.1.0',
      claimsSha256: '4f'.repeat(32),
      configs: Object.fromEntries(
        training.map(({ run }) => [
          run,
          { seed: 1, data: { tasks: ['SUM'], modulus: 10 }, note: text('steps') },
        ]),
      ),
      engines: Object.fromEntries(
        training.map(({ run }) => [run, [text('native avx2, 1 thread, kernels 1f2e3d')]]),
      ),
      dataNotes: [
        text(
          'full: mutual information of one operand with the result: SUM 0 nats, MAX 0.53 nats, MED 0.31 nats',
        ),
        text('pairs: five unordered pairs held out; max/min first-order Fourier signal 1.21'),
      ],
    },
  };
}

type Numbers = Pick<TrainingRecord, 'end' | 'points' | 'final'>;

function trainingRecord(condition: Condition, seed: number, points: number, next: () => number): Numbers {
  const { tasks, regime, learnsSum } = condition;
  const half = 900 + 2600 * next();
  const held = regime === 'pairs' ? (tasks.length === 1 && seed % 2 === 0 ? 0.11 : 0.9 + 0.1 * next()) : 1;
  const rise = (step: number, at: number) => 1 / (1 + Math.exp(-(step - at) / 220));
  const accuracyAt = (task: string, step: number) => {
    const chance = CHANCE[task] ?? 0.1;
    if (task === 'SUM' && !learnsSum) return chance + 0.02 * (next() - 0.5);
    const top = chance + (1 - chance) * rise(step, task === 'SUM' ? half + 700 : half / 2);
    return Math.min(1, Math.max(0, top + 0.01 * (next() - 0.5)));
  };
  const curve = Array.from({ length: points }, (_, i) => {
    const step = Math.round((8000 * i) / Math.max(1, points - 1));
    const accuracy = Object.fromEntries(tasks.map((task) => [task, accuracyAt(task, step)]));
    const sum = accuracy.SUM ?? 0.1;
    return {
      step,
      trainLossNats: 1.15 * (1 - sum) + 0.02,
      accuracy,
      lossByRole: {
        result: 2.302 * (1 - sum) + 0.01,
        copy: 0.8 * Math.exp(-step / 400),
        format: Math.exp(-step / 200),
      },
      divisorAccuracy: {
        2: learnsSum ? 0.5 + 0.5 * rise(step, half + 1000) : 0.5,
        5: learnsSum ? 0.2 + 0.8 * rise(step, half) : 0.2,
        10: sum,
      },
    };
  });
  const last = curve.at(-1)?.accuracy ?? {};
  const final = tasks.flatMap((operation) =>
    [2, 3].flatMap((arity) =>
      (regime === 'pairs' ? [false, true] : [false]).map((isHeld) => {
        const total = arity === 2 ? 100 : 1000;
        const accuracy = Math.round((last[operation] ?? 0) * (isHeld ? held : 1) * total) / total;
        return {
          operation,
          arity,
          held: isHeld,
          correct: Math.round(accuracy * total),
          total,
          accuracy,
          low: Math.max(0, accuracy - 0.03),
          high: Math.min(1, accuracy + 0.03),
          chance: CHANCE[operation] ?? 0.1,
          enumerated: true,
        };
      }),
    ),
  );
  return { end: 'budget', points: curve, final };
}

function rename(record: TrainingRecord, text: (usual: string) => string): TrainingRecord {
  const keys = <T>(named: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(named).map(([key, value]) => [text(key), value]));
  return {
    ...record,
    points: record.points.map((point) => ({
      ...point,
      ...(point.accuracy === undefined ? {} : { accuracy: keys(point.accuracy) }),
      ...(point.lossByRole === undefined ? {} : { lossByRole: keys(point.lossByRole) }),
    })),
    final: record.final.map((row) => ({ ...row, operation: text(row.operation) })),
  };
}

function emptyModule(title: string, text: (usual: string) => string): ModuleReport {
  return {
    version: 1,
    title: text(title),
    question: text('Do the numbers lie on a line, on a circle, or without order?'),
    text: {
      shows: text('How far apart the embeddings of two numbers lie, against how far apart the numbers are.'),
      doesNotShow: text(
        'Whether the network uses that order. A direction that separates even from odd may be unused by every layer that reads it.',
      ),
      method: text(
        'Distances between rows of the token embedding, centred. Nulls permute the numbers 10,000 times.\n\nOrder is Spearman rank correlation; the circle is maximised over (Z/10)*.',
      ),
    },
    options: { permutations: 10_000, naming: text('natural'), scales: [1, 2, 5] },
    status: 'ok',
    leftOut: [],
    statistics: [],
    findings: [],
    charts: [],
  };
}

/** What the two modules measured: one number a model, and one for each part, operation and role. */
const ORDER: StatisticInfo = {
  id: 'order',
  title: 'Order as named',
  formula: 'Spearman(d2, |i - j|)',
  unit: '1',
  sentence: 'how closely distances follow the order of the numbers',
};
const EFFECT: StatisticInfo = {
  id: 'effect',
  title: 'Loss that a part prevents',
  formula: 'loss with the part resampled - intact',
  unit: 'nats',
  sentence: 'loss added when one part writes what it writes on another prompt',
  detail: true,
  map: { x: ['operation'], y: ['part', 'layer'] },
};

/** Mixed runs follow the order by 0.6 more; their feed-forward layer 1 prevents 2 nats more, and nothing else differs. */
function observations(subjects: readonly Subject[], text: (usual: string) => string): Observation[] {
  return subjects.flatMap(({ id, seed, design }, i): Observation[] => {
    const next = uniform(77 * i + seed);
    const isMixed = design.tasks.length > 2;
    const order = (isMixed ? 0.7 : 0.1) + 0.05 * next();
    const effects = ['attention', 'feed-forward'].flatMap((part) =>
      [0, 1].map((layer): Observation => ({
        subject: id,
        statistic: `${text('component-effects')}/effect`,
        scope: { operation: text('SUM'), part: text(part), layer },
        value: 1 + (isMixed && part === 'feed-forward' && layer === 1 ? 2 : 0) + 0.1 * next(),
      })),
    );
    return [
      { subject: id, statistic: `${text('embedding-geometry')}/order`, scope: {}, value: order },
      ...effects,
    ];
  });
}

const intervalAbout = (estimate: number, text: (usual: string) => string): Interval => ({
  low: estimate - 0.2,
  high: estimate + 0.2,
  level: 0.9917,
  method: text('Welch t over seeds'),
});

/** One row for each part of each claim, the verdicts in turn; C3 also as a whole. */
function claimResults(text: (usual: string) => string): ClaimResult[] {
  return CLAIMS.flatMap(({ id, parts }) => {
    const rows = parts.map(({ id: part, statistic, unit }): ClaimResult => {
      const index = CLAIM_PART_IDS.indexOf(part);
      const estimate = 0.42 - 0.07 * index;
      const verdict = VERDICTS[index % VERDICTS.length];
      return {
        claim: id,
        part,
        place: text('pairs, modulus 10, depth 1, d=16'),
        statistic: text(statistic),
        unit,
        ...(verdict === VERDICT.tooFew
          ? {}
          : {
              estimate,
              interval: intervalAbout(estimate, text),
            }),
        verdict,
        reason: text(
          verdict === VERDICT.tooFew
            ? 'SUM, full has 2 usable runs, 5 are needed'
            : 'the interval lies above 0',
        ),
        notes: [text('exploratory runs of the folder were not given')],
        interim: index % 5 === 0,
        counts: [{ condition: text('SUM, full'), usable: 2, runs: 6, planned: 8 }],
      };
    });
    if (id !== 'C3') return rows;
    const whole: ClaimResult = {
      claim: id,
      place: '',
      statistic: '',
      unit: '1',
      verdict: VERDICT.contradicted,
      reason: text('so is part c'),
      notes: [],
      interim: false,
      counts: [],
    };
    return [whole, ...rows];
  });
}

function finding(id: string, index: number, text: (usual: string) => string): Finding {
  const part = CLAIM_PART_IDS.find((known) => known === id);
  const estimate = 0.42 - 0.17 * index;
  const common = {
    id: `f-${id}`,
    statement: text('Mixed embeddings follow the order of the numbers more closely than SUM-only ones'),
    statistic: text(part === undefined ? 'share of Fourier power at k = 1' : claimPart(part).statistic),
    unit: part === undefined ? '1' : claimPart(part).unit,
    estimate,
    interval: intervalAbout(estimate, text),
    n: { seeds: 12, examples: index === 0 ? 0 : 1200 },
    p: 0.0022 * (index + 1),
    pMethod: text('exact permutation'),
  };
  if (part === undefined) return { ...common, pAdjusted: Math.min(1, 0.01 * (index + 1)) };
  const reason = index === 3 ? 'runs: SUM, full has 2 usable, 5 are needed' : 'the interval lies above 0';
  return { ...common, claim: part, verdict: VERDICTS[index % VERDICTS.length], reason: text(reason) };
}

function geometryModule(
  labels: readonly string[],
  left: readonly Subject[],
  text: (usual: string) => string,
): ModuleReport {
  return {
    ...emptyModule('Geometry of the number embeddings', text),
    leftOut: left.map(({ id }) => ({ subject: id, reason: text('has not learned SUM (accuracy 0.11)') })),
    statistics: [ORDER],
    findings: [...['C3a', 'C3b1', 'C3c'], 'order', 'closure'].map((id, i) => finding(id, i, text)),
    charts: [planeChart(labels, text), similarityChart(labels, text)],
  };
}

function planeChart(labels: readonly string[], text: (usual: string) => string): ChartSpec {
  const rows: Row[] = labels.flatMap((condition, c) =>
    Array.from({ length: 10 }, (_, k) => ({
      condition,
      number: String(k),
      pc1: Math.cos((2 * Math.PI * k) / 10 + c) * (1 + 0.1 * c),
      pc2: Math.sin((2 * Math.PI * k) / 10 + c) * (c % 2 === 0 ? 1 : 0.3),
    })),
  );
  const view = {
    height: 150,
    layer: ['point', 'text'].map((mark) => ({
      mark: {
        type: mark,
        ...(mark === 'text' ? { style: 'point-label', dy: -9 } : { filled: true, size: 30 }),
      },
      encoding: {
        x: { field: 'pc1', type: 'quantitative', title: 'PC 1 (embedding units)', scale: { zero: false } },
        y: { field: 'pc2', type: 'quantitative', title: 'PC 2 (embedding units)', scale: { zero: false } },
        ...(mark === 'text' ? { text: { field: 'number', type: 'nominal' } } : {}),
      },
    })),
  };
  return chart({
    id: 'embedding-plane',
    title: text('Number embeddings in their first two components'),
    subtitle: text('6 seeds a condition, aligned; share of variance 0.61, null 0.38.'),
    summary: text('Mixed models place the ten numbers on a ring in their order.'),
    headline: true,
    spec: smallMultiples(rows, 'condition', view, { columns: 3 }),
    table: {
      columns: ['Condition', 'Number'],
      rows: rows.map((row) => [String(row.condition), String(row.number)]),
    },
  });
}

function similarityChart(labels: readonly string[], text: (usual: string) => string): ChartSpec {
  const cells = labels.slice(0, 2).flatMap((panel) =>
    Array.from({ length: 100 }, (_, i): HeatCell => {
      const [x, y] = [i % 10, Math.floor(i / 10)];
      return { panel, x: String(x), y: String(y), value: Math.cos((x - y) / 2) };
    }),
  );
  return heatMapChart(cells, {
    id: 'cosine-map',
    title: text('Cosine between number embeddings'),
    note: text('Mean of 6 seeds, centred.'),
    summary: text('Neighbours are similar in mixed models.'),
    x: 'Number',
    y: 'Number',
    value: 'Cosine',
    format: '.2f',
    diverging: true,
    domain: [-1, 1],
    cell: 20,
  });
}

function effectsModule(
  labels: readonly string[],
  left: readonly Subject[],
  text: (usual: string) => string,
): ModuleReport {
  const components = [
    'attention, layer 0',
    'feed-forward, layer 0',
    'attention, layer 1',
    'feed-forward, layer 1',
  ].map(text);
  const used = labels.filter((label) => label !== left.at(0)?.label);
  const points = components.flatMap((component, i) =>
    used.map((condition, c): PointRow => {
      const mean = 0.3 + 0.2 * i + 0.1 * c;
      return {
        panel: text('Extra loss'),
        category: component,
        condition,
        name: condition,
        values: [-0.1, 0.02, 0.09].map((shift, seed) => ({ run: `${seed}`, seed, value: mean + shift })),
        mean,
        low: mean - 0.12,
        high: mean + 0.12,
        control: 0.25,
      };
    }),
  );
  return {
    ...emptyModule('Attention against feed-forward layers', text),
    leftOut: left.map(({ id }) => ({ subject: id, reason: text('has not learned SUM (accuracy 0.11)') })),
    statistics: [EFFECT],
    findings: ['C4', 'layer-0', 'layer-1'].map((id, i) => finding(id, i + 3, text)),
    charts: [
      {
        ...pointsChart(points, {
          id: 'effects',
          title: text('Loss when one component is resampled'),
          note: text('Equal-norm random direction as control.'),
          axis: 'Extra loss (nats a result token)',
          category: 'Component',
          headline: true,
          reference: 0.25,
        }),
        summary: text('Resampling the feed-forward layer costs more than resampling attention.'),
      },
    ],
  };
}
