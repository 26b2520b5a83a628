/** Which conditions and places the pictures of layers show, and the words for them. Pure. */
import type { MeanCell, MeanContext, ParityGroup, PositionKind } from './parity-data.js';
import type { Spec } from './common.js';

/** A template as one condition reads it. */
export interface Read {
  readonly group: ParityGroup;
  readonly context: MeanContext;
}

/** Flat expressions of conditions whose models have learned the operation; the others would be drawn as chance. */
export function flatReads(groups: readonly ParityGroup[]): Read[] {
  return learnedOnly(
    groups.flatMap((group) => (group.context === null ? [] : [{ group, context: group.context }])),
  );
}

/** Nested expressions, a template each. */
export function nestedReads(groups: readonly ParityGroup[]): Read[] {
  return learnedOnly(groups.flatMap((group) => group.lookAhead.map((context) => ({ group, context }))));
}

function learnedOnly(all: readonly Read[]): Read[] {
  const learned = all.filter(({ group }) => group.learnedSum !== false);
  return learned.length > 0 ? learned : [...all];
}

export function cellsAt(
  { positions }: Pick<MeanContext, 'positions'>,
  kind: PositionKind,
  cells: readonly MeanCell[],
): MeanCell[] {
  return cells.filter(({ position }) => positions[position].kind === kind);
}

/** Cells where the model predicts the result, layer by layer. */
export function atPrediction(context: MeanContext): MeanCell[] {
  return cellsAt(context, 'predicted', context.cells);
}

/** `3 runs that learned, 300 prompts (SUM # # #).` */
export function subtitleOf(read: readonly Read[]): string {
  if (read.length === 0) return 'No runs.';
  const runs = new Set(read.flatMap(({ group }) => group.seeds.map(({ subject }) => subject))).size;
  const templates = [...new Set(read.map(({ context }) => context.template))].join(', ');
  const prompts = Math.min(...read.map(({ context }) => context.prompts));
  const learned = read.every(({ group }) => group.learnedSum !== false) ? ' that learned' : '';
  return `${runs} ${runs === 1 ? 'run' : 'runs'}${learned}, ${prompts} prompts ${templates}.`;
}

export function longest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.reduce<readonly T[]>((best, list) => (list.length > best.length ? list : best), []);
}

/** Colour of a heat map of shares. */
export function share(field: string, title: string): Spec {
  return {
    field,
    type: 'quantitative',
    title,
    scale: { range: 'heatmap', domain: [0, 1] },
    legend: { format: '.1f' },
  };
}
