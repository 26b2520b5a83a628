/** Every reading of a lens against the float64 reference or a brute-force computation on it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, headCells, positionCells } from '../../src/lens/patch.js';
import type { Path } from '../../src/lens/path.js';
import { partName } from '../../src/lens/attribution.js';
import { type LensRun, logitsAt, probabilitiesOf, rowOf } from '../../src/lens/run.js';
import { type GptConfig, LAYER_NORM_EPS } from '../../src/model/gpt-config.js';
import { activationName } from '../../src/model/activations.js';
import { parameterTable, parameterView } from '../../src/model/parameters.js';
import { type LensUnderTest, SMALL, distance, openSmall, reference, referenceActivations } from './setup.js';

/** float32 forward passes against float64 ones, as in the conformance of the engines */
const CLOSE = 1e-4;
const VARIANTS: readonly (readonly [string, GptConfig])[] = [
  ['biases, two heads', SMALL],
  [
    'shared blocks, tied, no bias',
    {
      ...SMALL,
      shareBlocks: true,
      nLayers: 3,
      tied: true,
      bias: false,
      qkvBias: false,
      unembeddingBias: false,
    },
  ],
];

describe.each(VARIANTS)('a lens on a model with %s', (_, gpt) => {
  let under: LensUnderTest;
  beforeAll(async () => (under = await openSmall(gpt)));
  afterAll(() => under.dispose());
  const width = gpt.dVocab;

  it('has the logits of every position, of one prompt and of many', () => {
    const { lens } = under;
    const prompts = ['(SUM 7 3 6)', '(MAX (SUM 1 2) 9)', '(MED 4 5 6)'].map((text) => lens.prompt(text));
    const run = lens.run(prompts);
    expect(distance(run.logits, reference(under, prompts))).toBeLessThan(CLOSE);
    const alone = lens.run('(MAX (SUM 1 2) 9)');
    expect([...alone.logits]).toEqual([
      ...run.logits.subarray(run.offsets[1] * width, run.offsets[2] * width),
    ]);
    expect(probabilitiesOf(run.logits.subarray(0, width)).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });

  it('logit lens: each stage is what the model says when nothing comes after it', () => {
    const { lens } = under;
    const prompts = [lens.prompt('(SUM 7 3 6)')];
    const found = lens.logitLens(lens.run(prompts));
    const activations = referenceActivations(under, prompts);
    expect(found.stages).toHaveLength(1 + 2 * gpt.nLayers);
    found.stages.forEach((stage, s) => {
      const ended = reference(under, prompts, (name, x) => {
        if (name === `blocks.${gpt.nLayers - 1}.resid_post`) x.set(activations.get(stage) ?? []);
      });
      expect(
        distance(
          found.logits[s].flatMap((row) => [...row]),
          ended,
        ),
        stage,
      ).toBeLessThan(CLOSE);
    });
  });

  it('attribution: parts sum to the logit, and each is its own write read by the final LayerNorm', () => {
    const { lens, parameters } = under;
    const prompt = lens.prompt('(SUM 7 3 6)');
    const run = lens.run(prompt);
    const token = answerOf(prompt);
    for (const neurons of [false, true]) {
      const { parts, values, total } = lens.attribution(run, { neurons });
      expect(parts).toHaveLength(values[0].length);
      expect(total[0]).toBeCloseTo(run.logits[rowOf(run) * width + token], 4);
      expect(values[0].reduce((a, b) => a + b)).toBeCloseTo(total[0], 4);
    }
    const { parts, values } = lens.attribution(run);
    // the write of a part: what the residual stream loses when the part is left out and no other part reads that
    const clean = referenceActivations(under, [prompt]);
    const final = clean.get(`blocks.${gpt.nLayers - 1}.resid_post`) ?? new Float64Array();
    const C = gpt.dModel;
    const row = prompt.tokens.length - 1;
    const own = final.subarray(row * C, (row + 1) * C);
    const mean = own.reduce((a, b) => a + b) / C;
    const sd = Math.sqrt(own.reduce((a, b) => a + (b - mean) ** 2, 0) / C + LAYER_NORM_EPS);
    const table = parameterTable(gpt);
    const w = parameterView(table, parameters, 'transformer.ln_f.weight');
    const u = parameterView(table, parameters, gpt.tied ? 'transformer.wte.weight' : 'lm_head.weight');
    parts.forEach((part, p) => {
      if (part.kind !== 'head' && part.kind !== 'embed') return;
      const without = new Map<string, Float64Array>();
      reference(under, [prompt], (name, x) => {
        const frozen = /(attn_out|mlp_out)$/.test(name);
        if (part.kind === 'embed' && name === 'embed') x.fill(0);
        if (part.kind === 'head' && name === `blocks.${part.layer}.attn.z`) {
          const dHead = C / gpt.nHeads;
          for (let i = 0; i < x.length; i++) if (Math.floor((i % C) / dHead) === part.head) x[i] = 0;
        }
        const isOwn = part.kind === 'head' && name === `blocks.${part.layer}.attn_out`;
        if (frozen && !isOwn) x.set(clean.get(name) ?? []);
        without.set(name, x.slice());
      });
      const rest = without.get(`blocks.${gpt.nLayers - 1}.resid_post`) ?? new Float64Array();
      const write = own.map((x, c) => x - rest[row * C + c]);
      const centre = write.reduce((a, b) => a + b) / C;
      const expected = write.reduce((sum, x, c) => sum + ((x - centre) / sd) * w[c] * u[token * C + c], 0);
      expect(values[0][p], partName(part)).toBeCloseTo(expected, 4);
    });
  });

  it("keep: 'last' gives the same bytes at the last position of every prompt, and no patterns", () => {
    const { lens } = under;
    const prompts = ['(SUM 7 3)', '(SUM 1 2 9)', '(MAX 4 4)'].map((text) => lens.prompt(text));
    const capture = [activationName('resid_mid', 0), activationName('mlp_out', gpt.nLayers - 1)];
    const all = lens.run(prompts, { capture });
    const last = lens.run(prompts, { capture, keep: 'last' });
    expect(last.logits).toHaveLength(3 * lens.model.config.dVocab);
    prompts.forEach((_, p) => {
      const row = rowOf(all, p);
      expect(logitsAt(last, rowOf(last, p))).toEqual(logitsAt(all, row));
      for (const name of capture) {
        const rowsOfRun = (run: LensRun, at: number): Float32Array | undefined => {
          const width = lens.model.config.dModel;
          return run.activations.get(name)?.subarray(at * width, (at + 1) * width);
        };
        expect(rowsOfRun(last, p)).toEqual(rowsOfRun(all, row));
      }
    });
    const [few, many] = [lens.attribution(last), lens.attribution(all)];
    expect(few.total).toEqual(many.total);
    expect(few.values).toEqual(many.values);
    expect(() => lens.run(prompts, { capture: ['blocks.0.attn.pattern'], keep: 'last' })).toThrow(
      'capture: found "blocks.0.attn.pattern"',
    );
  });

  it('attribution: what interventions put in is a part of its own', () => {
    const { lens } = under;
    const run = lens.run('(SUM 7 3 6)', {
      interventions: [{ at: 'blocks.0.attn_out', op: 'set', value: 0.3 }],
    });
    const { parts, values, total } = lens.attribution(run);
    expect(parts.at(-1)?.kind).toBe('interventions');
    expect(values[0].reduce((a, b) => a + b)).toBeCloseTo(total[0], 4);
    expect(Math.abs(values[0][parts.length - 1])).toBeGreaterThan(1e-3);
  });

  it('patterns: rows sum to 1 and equal the reference, of any prompt of a run', () => {
    const { lens } = under;
    const prompts = [lens.prompt('(SUM 7 3 6)'), lens.prompt('(MAX (SUM 1 2) 9)')];
    const run = lens.run(prompts);
    prompts.forEach((prompt, p) => {
      const activations = referenceActivations(under, [prompt]);
      const T = prompt.tokens.length;
      for (const { layer, head, weights } of lens.patterns(run, p)) {
        const all = activations.get(`blocks.${layer}.attn.pattern`) ?? new Float64Array();
        expect(distance(weights, all.subarray(head * T * T, (head + 1) * T * T))).toBeLessThan(CLOSE);
      }
    });
  });

  it('patching: everything gives the corrupted run exactly, nothing the clean one', () => {
    const { lens } = under;
    const pair = { clean: lens.prompt('(SUM 7 3 6)'), corrupted: lens.prompt('(SUM 7 4 6)') };
    const { values, clean, corrupted, effect } = lens.patch(
      pair,
      [[], [{ at: 'blocks.0.resid_pre' }], [{ at: 'ln_final.normalized' }]],
      'probability',
    );
    expect(values[0][0]).toBe(clean[0]);
    expect(values[1][0]).toBe(corrupted[0]);
    expect(values[2][0]).toBe(corrupted[0]);
    expect([...effect]).toEqual([0, 1, 1]);
    expect(corrupted[0]).not.toBe(clean[0]);
  });

  it('patching: grids of positions, heads, patterns and neurons equal brute force', () => {
    const { lens } = under;
    const pairs = [
      { clean: lens.prompt('(SUM 7 3 6)'), corrupted: lens.prompt('(SUM 7 4 6)') },
      { clean: lens.prompt('(MAX 1 2)'), corrupted: lens.prompt('(SUM 9 2)') },
    ];
    const cells = [
      ...positionCells(gpt, 'resid_mid', 5),
      ...headCells(gpt),
      ...headCells(gpt, 4),
      [{ at: activationName('attn.pattern', 1), head: 1, position: -1 + 5 }],
      [
        { at: activationName('mlp.post', 0), neuron: 3 },
        { at: activationName('mlp.post', 0), neuron: 7, position: 2 },
      ],
    ];
    const { values } = lens.patch(pairs, cells);
    pairs.forEach((pair, p) => {
      const corrupted = referenceActivations(under, [pair.corrupted]);
      const T = pair.clean.tokens.length;
      cells.forEach((cell, c) => {
        const logits = reference(under, [pair.clean], (name, x) => {
          for (const { at, position, head, neuron } of cell as {
            at: string;
            position?: number;
            head?: number;
            neuron?: number;
          }[]) {
            if (at !== name) continue;
            const from = corrupted.get(at) ?? new Float64Array();
            const isPattern = at.endsWith('pattern');
            const W = x.length / T;
            const dHead = gpt.dModel / gpt.nHeads;
            for (let i = 0; i < x.length; i++) {
              const row = isPattern ? Math.floor(i / T) % T : Math.floor(i / W);
              const own = isPattern ? Math.floor(i / (T * T)) : Math.floor((i % W) / dHead);
              const isHere =
                (position === undefined || row === position) &&
                (head === undefined || own === head) &&
                (neuron === undefined || i % W === neuron);
              if (isHere) x[i] = from[i];
            }
          }
        });
        const last = logits.subarray((T - 1) * width);
        const expected = last[answerOf(pair.clean)] - last[answerOf(pair.corrupted)];
        expect(Math.abs(values[c][p] - expected), JSON.stringify(cell)).toBeLessThan(CLOSE * 10);
      });
    });
  });

  it('path patching equals brute force, and refuses a path that runs backwards', () => {
    const { lens } = under;
    const pair = { clean: lens.prompt('(SUM 7 3 6)'), corrupted: lens.prompt('(SUM 7 4 6)') };
    const paths: Path[] = [
      { from: { kind: 'embed' }, to: { kind: 'logits' } },
      { from: { kind: 'embed' }, to: { kind: 'attention', layer: 0, head: 1, input: 'v' } },
      { from: { kind: 'head', layer: 0, head: 0 }, to: { kind: 'feed-forward', layer: 0 } },
      { from: { kind: 'attention', layer: 0 }, to: { kind: 'attention', layer: 1 } },
      { from: { kind: 'feed-forward', layer: 0 }, to: { kind: 'logits' } },
    ];
    const { values } = lens.patchPaths(pair, paths);
    const [clean, corrupted] = [pair.clean, pair.corrupted].map((prompt) =>
      referenceActivations(under, [prompt]),
    );
    const T = pair.clean.tokens.length;
    const dHead = gpt.dModel / gpt.nHeads;
    const setHeads = (x: Float64Array, from: Float64Array | undefined, head: number | undefined): void => {
      for (let i = 0; i < x.length; i++) {
        if (head === undefined || Math.floor((i % gpt.dModel) / dHead) === head) x[i] = from?.[i] ?? NaN;
      }
    };
    paths.forEach(({ from, to }, p) => {
      const fromName =
        from.kind === 'embed'
          ? 'embed'
          : `blocks.${from.layer}.${{ head: 'attn.z', attention: 'attn_out', 'feed-forward': 'mlp_out' }[from.kind]}`;
      const direct = new Map<string, Float64Array>();
      const logits = reference(under, [pair.clean], (name, x) => {
        if (name === fromName) setHeads(x, corrupted.get(name), from.kind === 'head' ? from.head : undefined);
        else if (
          /(attn_out|mlp_out)$/.test(name) &&
          !(from.kind === 'head' && name === `blocks.${from.layer}.attn_out`)
        )
          x.set(clean.get(name) ?? []);
        direct.set(name, x.slice());
      });
      const inputs =
        to.kind === 'logits'
          ? []
          : to.kind === 'feed-forward'
            ? [`blocks.${to.layer}.mlp.pre`]
            : (to.input === undefined ? ['q', 'k', 'v'] : [to.input]).map(
                (input) => `blocks.${to.layer}.attn.${input}`,
              );
      const end =
        to.kind === 'logits'
          ? logits
          : reference(under, [pair.clean], (name, x) => {
              if (inputs.includes(name))
                setHeads(x, direct.get(name), to.kind === 'attention' ? to.head : undefined);
            });
      const last = end.subarray((T - 1) * width);
      const expected = last[answerOf(pair.clean)] - last[answerOf(pair.corrupted)];
      expect(Math.abs(values[p][0] - expected), JSON.stringify(paths[p])).toBeLessThan(CLOSE * 10);
    });
    expect(() =>
      lens.patchPaths(pair, [
        { from: { kind: 'feed-forward', layer: 0 }, to: { kind: 'attention', layer: 0 } },
      ]),
    ).toThrow(/found feed-forward 0 to attention 0, expected a receiver that is computed after its sender/);
  });

  it('ablation by zero, mean, resample and pattern equals brute force', () => {
    const { lens } = under;
    const prompts = ['(SUM 7 3)', '(SUM 1 2)', '(SUM 5 9)'].map((text) => lens.prompt(text));
    const clean = referenceActivations(under, prompts);
    const T = prompts[0].tokens.length;
    for (const by of ['zero', 'mean', 'resample', 'pattern'] as const) {
      const part = 'L1.attn';
      const run = lens.ablate(prompts, { parts: [part], by });
      const name = by === 'pattern' ? 'blocks.1.attn.pattern' : 'blocks.1.attn_out';
      const expected = reference(under, prompts, (at, x) => {
        if (at !== name) return;
        const own = clean.get(at) ?? new Float64Array();
        const size = own.length / 3;
        for (let i = 0; i < x.length; i++) {
          const others = [0, 1, 2]
            .filter((p) => p !== Math.floor(i / size))
            .map((p) => own[p * size + (i % size)]);
          x[i] =
            by === 'zero'
              ? 0
              : by === 'resample'
                ? own[(i + size) % (3 * size)]
                : (others[0] + others[1]) / 2;
        }
      });
      expect(distance(run.logits, expected), by).toBeLessThan(CLOSE);
      expect(run.offsets[1]).toBe(T);
    }
    expect(() => lens.ablate(prompts, { parts: ['L9.attn'], by: 'zero' })).toThrow(
      /part: found "L9.attn", expected attn, mlp, all, or one of L0.attn, L0.H0/,
    );
    expect(() => lens.ablate(prompts.slice(0, 1), { parts: ['attn'], by: 'mean' })).toThrow(/at least 2/);
    expect(() => lens.ablate(prompts, { parts: ['mlp'], by: 'pattern' })).toThrow(/expected attention/);
  });

  it('steering adds a direction at the positions named', () => {
    const { lens } = under;
    const prompts = ['(SUM 7 3)', '(MAX 1 2 4)'].map((text) => lens.prompt(text));
    const direction = Array.from({ length: gpt.dModel }, (_, c) => Math.sin(c));
    const run = lens.steer(prompts, { at: 'blocks.0.resid_post', direction, strength: 2, positions: [-1] });
    const rows = [prompts[0].tokens.length - 1, prompts[0].tokens.length + prompts[1].tokens.length - 1];
    const expected = reference(under, prompts, (name, x) => {
      if (name !== 'blocks.0.resid_post') return;
      for (const row of rows) direction.forEach((d, c) => (x[row * gpt.dModel + c] += 2 * d));
    });
    expect(distance(run.logits, expected)).toBeLessThan(CLOSE);
  });

  it("generation is the engine's own, with probabilities, and takes interventions", () => {
    const { lens } = under;
    const prompt = lens.prompt('(SUM (MAX 7 3) 6)');
    const own = lens.generate(prompt, { maxNewTokens: 6 });
    const [engine] = lens.model.generate([prompt.tokens], {
      maxNewTokens: 6,
      stopToken: lens.vocabulary.end,
    });
    expect(own.map(({ token }) => token)).toEqual([...engine]);
    const first = reference(under, [prompt]).subarray((prompt.tokens.length - 1) * width);
    expect(distance(own[0].probabilities, probabilitiesOf(first))).toBeLessThan(CLOSE);
    expect(own[0].expected).toBe(prompt.completion?.[0]);
    // all logits equal: the first token wins
    const blank = lens.generate(prompt, {
      maxNewTokens: 2,
      interventions: [{ at: 'ln_final.normalized', op: 'set', value: 0 }],
    });
    const bias = gpt.unembeddingBias
      ? parameterView(parameterTable(gpt), under.parameters, 'lm_head.bias')
      : new Float32Array(width);
    expect(blank[0].token).toBe(bias.indexOf(Math.max(...bias)));
    expect(() =>
      lens.generate(prompt, { interventions: [{ at: 'embed', op: 'set', value: new Float32Array(500) }] }),
    ).toThrow(/the sequence grows/);
  });

  it('refuses pairs of unequal length and answers that nobody knows', () => {
    const { lens } = under;
    expect(() =>
      lens.patch({ clean: lens.prompt('(SUM 7 3)'), corrupted: lens.prompt('(SUM 7 3 6)') }, [[]]),
    ).toThrow(/found 7 tokens in the clean and 8 in the corrupted prompt of pair 0, expected as many/);
    expect(() => lens.attribution(lens.run(lens.prompt([3, 4, 5])))).toThrow(/right answer is not known/);
    expect(() => rowOf(lens.run('(SUM 7 3)'), 0, 7)).toThrow(/position 7: prompt 0 has 7 tokens/);
  });
});
