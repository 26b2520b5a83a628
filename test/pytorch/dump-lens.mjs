/**
 * What the lens says of one model, for TransformerLens to say again (lens_check.py): logit lens, direct attribution,
 * activation patching and path patching of two pairs of prompts. Numbers are flat arrays, written as JSON.
 */
import { openLens } from '../../dist/src/lens/lens.js';
import { answerOf, headCells, positionCells } from '../../dist/src/lens/patch.js';
import { logitsAt, rowOf } from '../../dist/src/lens/run.js';

/** Operands of the clean and of the corrupted prompt: MAX, MIN, MED, SUM and FIRST answer differently modulo 10. */
const OPERANDS = [
  ['7 3 6', '2 9 4'],
  ['1 8 5', '9 0 3'],
];

/** Senders and receivers, as far as the model has the layers. */
function pathsOf({ nLayers, nHeads }) {
  const last = nLayers - 1;
  return [
    { from: { kind: 'embed' }, to: { kind: 'feed-forward', layer: 0 } },
    { from: { kind: 'embed' }, to: { kind: 'attention', layer: last, input: 'v' } },
    { from: { kind: 'head', layer: 0, head: nHeads - 1 }, to: { kind: 'logits' } },
    { from: { kind: 'attention', layer: 0 }, to: { kind: 'feed-forward', layer: last } },
    { from: { kind: 'feed-forward', layer: 0 }, to: { kind: 'logits' } },
    ...(nLayers === 1
      ? []
      : [
          {
            from: { kind: 'head', layer: 0, head: 0 },
            to: { kind: 'attention', layer: 1, head: nHeads - 1 },
          },
          { from: { kind: 'feed-forward', layer: 0 }, to: { kind: 'attention', layer: 1, input: 'k' } },
        ]),
  ];
}

/**
 * @param model - of any engine
 * @param config - of the run: data and vocabulary
 */
export function lensOf(model, config) {
  const lens = openLens(model, config);
  const [operation] = config.data.tasks;
  return OPERANDS.map(([clean, corrupted]) => {
    const pair = {
      clean: lens.prompt(`(${operation} ${clean})`),
      corrupted: lens.prompt(`(${operation} ${corrupted})`),
    };
    const run = lens.run(pair.clean);
    const { stages, logits } = lens.logitLens(run);
    const difference = new Map([
      [answerOf(pair.clean), 1],
      [answerOf(pair.corrupted), -1],
    ]);
    const attribution = (options) => {
      const { parts, values, total } = lens.attribution(run, options);
      return { parts, values: [...values[0]], total: total[0] };
    };
    const paths = pathsOf(model.config);
    const { values, clean: before, corrupted: after } = lens.patchPaths(pair, paths);
    const grid = (cells) => lens.patch(pair, cells).values.map(([value]) => value);
    const T = pair.clean.tokens.length;
    return {
      clean: [...pair.clean.tokens],
      corrupted: [...pair.corrupted.tokens],
      answers: [answerOf(pair.clean), answerOf(pair.corrupted)],
      logits: [...logitsAt(run, rowOf(run))],
      stages,
      logitLens: logits.flatMap((rows) => rows.flatMap((row) => [...row])),
      attribution: {
        answer: attribution({}),
        neurons: attribution({ neurons: true }),
        difference: attribution({ of: difference, position: -2 }),
      },
      patterns: lens.patterns(run).map(({ weights }) => [...weights]),
      metric: [before[0], after[0]],
      patch: {
        resid_pre: grid(positionCells(model.config, 'resid_pre', T)),
        resid_mid: grid(positionCells(model.config, 'resid_mid', T)),
        attn_out: grid(positionCells(model.config, 'attn_out', T)),
        mlp_out: grid(positionCells(model.config, 'mlp_out', T)),
        heads: grid(headCells(model.config)),
      },
      paths: paths.map((path, i) => ({ ...path, value: values[i][0] })),
    };
  });
}
