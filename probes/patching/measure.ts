/** Patches every place and path of a checkpoint, and of the same run before training, over the same pairs of prompts. */
import type { Lens } from '../../src/lens/lens.js';
import { openLens } from '../../src/lens/lens.js';
import { type PatchCell, type PatchResult, type PromptPair, effectOf } from '../../src/lens/patch.js';
import type { Path, Receiver, Sender } from '../../src/lens/path.js';
import { type BlockActivation, activationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { jsonArray, nineDigits } from '../../src/report/report-json.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import { CORRUPTIONS, type PairGroup, drawPairs } from './pairs.js';

export interface MeasureOptions {
  readonly pairs: number;
}

export const STAGES = ['resid_pre', 'resid_mid', 'resid_post'] as const satisfies readonly BlockActivation[];

export function measureSubject(subject: ProbeSubject, options: MeasureOptions, context: MeasureContext) {
  const { data } = subject.config;
  const gpt = context.model.config;
  const untrained = context.engine.createModel(gpt, { parameters: subject.untrainedParameters }, 'inference');
  try {
    const lens = openLens(context.model, { data });
    const before = openLens(untrained, { data });
    const asked = data.tasks.flatMap((operation) =>
      CORRUPTIONS.map((corruption) => ({ operation, corruption })),
    );
    const measured = asked.flatMap(({ operation, corruption }, index) => {
      const tell = (share: number): void => context.progress(index + share, asked.length);
      const groups = drawPairs(lens, {
        data,
        operation,
        corruption,
        count: options.pairs,
        rng: context.rng(index),
      });
      const found =
        groups.length === 0
          ? []
          : [
              {
                operation,
                corruption,
                pairs: groups.reduce((sum, { pairs }) => sum + pairs.length, 0),
                positions: Object.keys(placesOf(groups[0])),
                trained: effectsOf(lens, gpt, groups, (share) => tell(share / 2)),
                untrained: effectsOf(before, gpt, groups, (share) => tell((1 + share) / 2)),
              },
            ];
      context.progress(index + 1, asked.length);
      return found;
    });
    return nineDigits({
      arity: data.operands[0],
      layers: gpt.nLayers,
      heads: gpt.nHeads,
      sharedBlocks: gpt.shareBlocks,
      paths: pathsOf(gpt).map(({ from, to }) => ({ from: partName(from, gpt), to: partName(to, gpt) })),
      measured,
    });
  } finally {
    untrained.dispose();
  }
}
/** What one checkpoint gives: plain JSON. */
export type PatchingMeasurement = Readonly<ReturnType<typeof measureSubject>>;
export type Patched = PatchingMeasurement['measured'][number];

/** Positions of a flat prompt by what they are; the result is predicted at the last one. */
export function placesOf({ changed, pairs: [{ clean }] }: PairGroup): Record<string, readonly number[]> {
  const at = (kind: string): number[] => clean.kinds.flatMap((own, t) => (own === kind ? [t] : []));
  const operands = at('number');
  return {
    operation: at('operation'),
    ...(changed === null
      ? { operands }
      : {
          'changed operand': [operands[changed]],
          'other operands': operands.filter((_, i) => i !== changed),
        }),
    'closing bracket': at('close'),
    result: [clean.tokens.length - 1],
  };
}

/** Shares of the way to the corrupted answer, over the pairs of all groups together. @param tell - share that is done */
function effectsOf(lens: Lens, gpt: GptConfig, groups: readonly PairGroup[], tell: (share: number) => void) {
  let done = 0;
  const next = <T>(value: T): T => {
    tell(++done / (groups.length + 2));
    return value;
  };
  const layers = Array.from({ length: gpt.nLayers }, (_, layer) => layer);
  const placed = groups.map((group) =>
    next(
      lens.patch(
        group.pairs,
        layers.flatMap((layer) =>
          STAGES.flatMap((stage) =>
            Object.values(placesOf(group)).map((positions): PatchCell =>
              positions.map((position) => ({ at: activationName(stage, layer), position })),
            ),
          ),
        ),
      ),
    ),
  );
  const all: PromptPair[] = groups.flatMap(({ pairs }) => pairs);
  const heads = layers.flatMap((layer) =>
    Array.from({ length: gpt.nHeads }, (_, head): PatchCell => [
      { at: activationName('attn.z', layer), head },
    ]),
  );
  const nPlaces = Object.keys(placesOf(groups[0])).length;
  return {
    /** [layers, stages, positions] */
    places: jsonArray([gpt.nLayers, STAGES.length, nPlaces], pooled(placed)),
    /** [layers, heads] at all positions */
    heads: jsonArray([gpt.nLayers, gpt.nHeads], next(lens.patch(all, heads)).effect),
    /** [paths] */
    paths: jsonArray([pathsOf(gpt).length], next(lens.patchPaths(all, pathsOf(gpt))).effect),
  };
}

/** One effect a cell over the pairs of several results with the same cells. */
function pooled(results: readonly PatchResult[]): Float64Array {
  const joined = (parts: readonly Float64Array[]): Float64Array =>
    Float64Array.from(parts.flatMap((x) => [...x]));
  return effectOf(
    results[0].values.map((_, cell) => joined(results.map(({ values }) => values[cell]))),
    joined(results.map(({ clean }) => clean)),
    joined(results.map(({ corrupted }) => corrupted)),
  );
}

/** Every direct path from the embedding or a sublayer to a later sublayer or the logits. */
export function pathsOf({ nLayers }: Pick<GptConfig, 'nLayers'>): Path[] {
  const sublayers = Array.from({ length: nLayers }, (_, layer) => [
    { kind: 'attention', layer } as const,
    { kind: 'feed-forward', layer } as const,
  ]).flat();
  const senders: readonly Sender[] = [{ kind: 'embed' }, ...sublayers];
  return senders.flatMap((from, i) =>
    [...sublayers.slice(i), { kind: 'logits' } as const].map((to) => ({ from, to })),
  );
}

function partName(part: Sender | Receiver, { shareBlocks }: GptConfig): string {
  if (part.kind === 'embed') return 'embedding';
  if (part.kind === 'logits') return 'logits';
  return `${part.kind} ${shareBlocks ? 'pass ' : ''}${part.layer}`;
}
