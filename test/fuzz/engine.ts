/** One case of the engine's fuzzer: every driver, for some numbers of threads, sets of instructions and paints. */
import type { Intervention } from '../../src/engine/engine.js';
import { describeModel } from '../../src/engine/kernels/description.js';
import { KernelModel } from '../../src/engine/kernels/model.js';
import type { Address } from '../../src/engine/kernels/module.js';
import type { Addon, KernelSet } from '../../src/engine/native/memory.js';
import { activationName, activationNames } from '../../src/model/activations.js';
import { parameterTable } from '../../src/model/parameters.js';
import { referenceForward } from '../../src/model/reference.js';
import { argmax } from '../../src/tensor/math.js';
import { Rng } from '../../src/tensor/rng.js';
import { closeness } from '../helpers/close.js';
import { TOLERANCES } from '../helpers/tolerances.js';
import type { EngineCase } from './engine-case.js';
import { PAINTS, Painter } from './painted-memory.js';

export const THREADS = [1, 2, 3, 7] as const;

/** Pools of threads, which a fuzzer keeps. */
export type Pools = ReadonlyMap<number, Address>;

export function openPools(addon: Addon): Pools {
  return new Map(THREADS.map((threads) => [threads, threads === 1 ? 0 : addon.pool_create(threads)]));
}

export interface Way {
  readonly set: KernelSet;
  readonly threads: number;
  readonly paint: number;
}

/** By what made it; numbers as they are in memory. */
type Trace = ReadonlyMap<string, Uint8Array>;

/** @returns what is wrong, one line each; none: nothing was found */
export function fuzzEngine(addon: Addon, pools: Pools, one: EngineCase): string[] {
  const rng = new Rng(one.seed, 'fuzz:ways');
  const sets = addon.sets.filter(({ supported }) => supported);
  const ways = [
    { set: sets[0], threads: 1, paint: 0 },
    ...sets.slice(1).map((set) => ({ set, threads: 1, paint: PAINTS[1 + rng.below(PAINTS.length - 1)] })),
    ...THREADS.map((threads) => ({
      set: sets[rng.below(sets.length)],
      threads,
      paint: PAINTS[1 + rng.below(PAINTS.length - 1)],
    })),
  ];
  const problems: string[] = [];
  let first: Trace | undefined;
  for (const way of ways) {
    const words = `${way.set.name}, ${way.threads} threads, paint 0x${way.paint.toString(16)}`;
    const { trace, wrong } = runWay(addon, pools.get(way.threads) ?? 0, one, way);
    problems.push(...wrong.map((line) => `${words}: ${line}`));
    first ??= trace;
    for (const [name, bytes] of first) {
      const at = differsAt(trace.get(name), bytes);
      if (at !== undefined) {
        problems.push(
          `${words}: ${name} has other bytes from ${at} on than with ${ways[0].set.name}, 1 thread`,
        );
      }
    }
    if (problems.length > 0) return problems;
  }
  return problems;
}

function differsAt(found: Uint8Array | undefined, expected: Uint8Array): number | undefined {
  if (found?.length !== expected.length) return 0;
  const at = found.findIndex((byte, i) => byte !== expected[i]);
  return at === -1 ? undefined : at;
}

/** Everything a model computes in one way, and what was found wrong on it. */
export function runWay(
  addon: Addon,
  pool: Address,
  one: EngineCase,
  { set, threads, paint }: Way,
): { readonly trace: Trace; readonly wrong: string[] } {
  const { config, parameters, batches, prompts, maxNewTokens, stopToken } = one;
  const painter = new Painter(addon, paint, one.seed);
  const module = painter.module(set, pool, threads);
  const trace = new Map<string, Uint8Array>();
  const wrong: string[] = [];
  const note = (name: string, values: Float32Array | Float64Array | Int32Array): void => {
    trace.set(name, new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice());
  };
  const checked = (what: string): void => {
    wrong.push(...painter.forget().map((line) => `${what}: ${line}`));
  };

  for (const mode of ['inference', 'train'] as const) {
    const model = new KernelModel(module, config, { parameters }, mode);
    batches.forEach((batch, b) => {
      const { logits, losses, lossNats } = model.forward(batch);
      checked('forward');
      note(`logits ${b}`, logits);
      note(`losses ${b}`, losses);
      note(`loss ${b}`, Float64Array.of(lossNats));
      const captured = model.forward(batch, { capture: activationNames(config) });
      checked('capture');
      for (const [name, values] of captured.activations) note(`${name} ${b}`, values);
      if (differsAt(bytesOf(captured.logits), bytesOf(logits)) !== undefined) {
        wrong.push('capture: other logits than forward');
      }
      const same = model.forward(batch, { interventions: noIntervention(one, captured.activations) });
      checked('stages');
      if (differsAt(bytesOf(same.logits), bytesOf(logits)) !== undefined) {
        wrong.push('stages: other logits than forward');
      }
      if (b === 0) {
        const changed = model.forward(batch, { interventions: interventionsOf(one) });
        checked('stages with interventions');
        note('logits after interventions', changed.logits);
        if (paint === 0) {
          const far = farFromReference(one, logits);
          if (far !== undefined) wrong.push(`forward: ${far}`);
        }
      }
    });
    const options = { maxNewTokens, ...(stopToken === undefined ? {} : { stopToken }) };
    const made = model.generate(prompts, options);
    checked('generate');
    note('generated', Int32Array.from(made.flatMap((tokens) => [...tokens, -1])));
    prompts.slice(0, 2).forEach((prompt, p) => {
      const written: number[] = [];
      model.writeOn(prompt, {
        interventions: [],
        next(logits) {
          note(`written on, ${p} ${written.length}`, logits);
          if (written.length >= maxNewTokens || prompt.length + written.length >= config.nCtx)
            return undefined;
          written.push(argmax(logits, 0, logits.length));
          return written.at(-1) === stopToken ? undefined : written.at(-1);
        },
      });
      checked('writing on');
      if (written.join(' ') !== made[p].join(' ')) wrong.push('writing on: other tokens than generate');
    });
    if (differsAt(bytesOf(model.getParameters()), bytesOf(parameters)) !== undefined) {
      wrong.push(`${mode}: a parameter changed without an update`);
    }
    if (mode === 'train') wrong.push(...train(model, one, note, checked));
    const record = describeModel(config, parameterTable(config));
    const described = painter.stateWords(record.length);
    if (record.some((number, i) => number >>> 0 !== described[i])) wrong.push('the description changed');
    model.dispose();
    if (wrong.length > 0) break;
  }
  return { trace, wrong };
}

/** Gradients, and two updates with other batches. */
function train(
  model: KernelModel<Float32Array>,
  { config, batches, optimizer }: EngineCase,
  note: (name: string, values: Float32Array | Float64Array) => void,
  checked: (what: string) => void,
): string[] {
  const wrong: string[] = [];
  const arena = (name: string, values: Float32Array): void => {
    note(name, values);
    const gap = gapOf(config, values);
    if (gap !== undefined) wrong.push(`${name}: the gap at ${gap} is no longer zero`);
  };
  batches.forEach((batch, b) => {
    const { lossNats, gradients } = model.computeGradients(batch);
    checked('gradients');
    note(`loss in training ${b}`, Float64Array.of(lossNats));
    arena(`gradients ${b}`, gradients);
    const result = model.trainStep(batch, optimizer);
    checked('training step');
    if (result.kind === 'diverged') {
      wrong.push(`training step: diverged at ${result.quantity}`);
      return;
    }
    note(`step ${b}`, Float64Array.of(result.lossNats, result.gradNorm));
    const { parameters, m, v } = model.getState();
    arena(`parameters ${b}`, parameters);
    arena(`first moments ${b}`, m);
    arena(`second moments ${b}`, v);
  });
  return wrong;
}

/** Index of a number between tensors that is not zero. */
function gapOf(config: EngineCase['config'], values: Float32Array): number | undefined {
  let at = 0;
  for (const { offset, size } of parameterTable(config).specs) {
    for (; at < offset; at++) if (values[at] !== 0) return at;
    at = offset + size;
  }
  for (; at < values.length; at++) if (values[at] !== 0) return at;
  return undefined;
}

/** Sets an activation to what it is. */
function noIntervention(one: EngineCase, activations: ReadonlyMap<string, Float32Array>): Intervention[] {
  const at = activationName('resid_post', one.seed % one.config.nLayers);
  return [{ at, op: 'set', value: activations.get(at) ?? 0 }];
}

function interventionsOf({ seed, config, batches: [{ tokens }] }: EngineCase): Intervention[] {
  const rng = new Rng(seed, 'fuzz:interventions');
  const layer = (): number => rng.below(config.nLayers);
  const ops = ['set', 'add', 'scale'] as const;
  return [
    {
      at: activationName('attn.z', layer()),
      op: ops[rng.below(3)],
      value: rng.normal(),
      heads: [rng.below(config.nHeads)],
      positions: Int32Array.of(rng.below(tokens.length)),
    },
    {
      at: activationName('mlp_out', layer()),
      op: ops[rng.below(3)],
      value: Float32Array.from({ length: config.dModel }, () => rng.normal()),
    },
    { at: activationName('attn.pattern', layer()), op: 'scale', value: 0.5 },
  ];
}

/**
 * How much farther than allowed the logits are from the plain float64 model: the tolerance of the engines' tests, or four
 * times what one rounding of every parameter changes (LayerNorm of two numbers that are nearly equal multiplies errors by
 * hundreds).
 */
function farFromReference(
  { config, parameters, batches: [batch] }: EngineCase,
  logits: Float32Array,
): string | undefined {
  const { logits: expected } = referenceForward(config, parameters, batch);
  const tolerance = TOLERANCES['naive logits'];
  const found = closeness(logits, expected, tolerance);
  if (found.worst <= 1) return undefined;
  const moved = parameters.map((x, i) => x * (1 + (i % 2 === 0 ? 2 ** -23 : -(2 ** -23))));
  const { largest } = closeness(referenceForward(config, moved, batch).logits, expected, tolerance);
  if (found.largest <= 4 * largest) return undefined;
  return `${found.largest} from the reference, where one rounding of every parameter makes ${largest}`;
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
