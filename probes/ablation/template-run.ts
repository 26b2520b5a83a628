/**
 * Runs one template: the intact model, whose writes give the replacements, then every treatment. A treatment that the
 * template does not allow (too few prompts for a mean, one operation only) is absent from the result.
 */
import {
  MIN_PROMPTS_FOR_MEAN,
  donorRows,
  leaveOneOutMean,
  randomOfEqualNorm,
  unitDirections,
} from '../../src/lens/values.js';
import type { ForwardOptions, Intervention, Model } from '../../src/engine/engine.js';
import { type ActivationName, activationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import {
  type Donors,
  SITES,
  type Site,
  type TemplateBatch,
  siteRows,
} from '../../src/listops/prompts/templates.js';
import type { Vocabulary } from '../../src/listops/language/tokenizer.js';
import type { Rng } from '../../src/tensor/rng.js';
import { type Replacements, type Treatment, interventionsOf } from '../../src/lens/components.js';
import { type Tally, type Targets, addForward, emptyTally, targetsOf } from './tally.js';
import { residualNames, resumed } from './resume.js';
import { type EffectMethod, type Plan, planId } from './treatments.js';

export interface TemplateInput {
  readonly model: Model;
  readonly filled: TemplateBatch;
  readonly donors: Donors;
  /** the same numbers under another operation, where there is one */
  readonly otherOperation: TemplateBatch | undefined;
  readonly tasks: readonly string[];
  readonly primary: string;
  readonly vocabulary: Vocabulary;
  readonly plans: readonly Plan[];
  readonly rng: Rng;
  /** share of this template's treatments done, in [0, 1] */
  readonly progress: (share: number) => void;
}

export interface TemplateResult {
  readonly hasMean: boolean;
  readonly clean: Tally;
  /** by planId */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** clean activations attn_out, mlp_out, attn.z [N, C] */
  readonly activations: Replacements;
}

/** Directions of the random control: drawn once a template and width. */
const N_DIRECTIONS = 1024;

export function runTemplate(input: TemplateInput): TemplateResult {
  const { model, filled, tasks, plans } = input;
  const { config } = model;
  const targets = targetsOf(filled.batch, tasks);
  const sublayers = sublayerNames(config);
  const patterns = layersOf(config).map((layer) => activationName('attn.pattern', layer));
  const hasMean = filled.nPrompts >= MIN_PROMPTS_FOR_MEAN;
  const run = (options: ForwardOptions): [Tally, ReadonlyMap<ActivationName, Float32Array>] => {
    const result = model.forward(filled.batch, options);
    return [tallyOf(targets, result), result.activations];
  };

  const heads = layersOf(config).map((layer) => activationName('attn.z', layer));
  const residuals = residualNames(config);
  const capture = [...sublayers, ...heads, ...residuals, ...(hasMean ? patterns : [])];
  const [clean, captured] = run({ capture });
  const activations = select(captured, [...sublayers, ...heads]);
  const frozen = select(captured, sublayers);
  const intact = select(captured, [...sublayers, ...heads, ...residuals]);
  const values = replacements(input, activations, hasMean);
  const patternMeans = hasMean
    ? mapValues(select(captured, patterns), (x) => leaveOneOutMean(x, filled.nPrompts))
    : undefined;
  const rowsOf = new Map(SITES.map((site) => [site, siteRows(filled, site, input.vocabulary)] as const));

  const tallies = new Map<string, Tally>();
  const scratch = new Map<string, Float32Array>();
  for (const [index, plan] of plans.entries()) {
    // often enough for large models, and no flood for small ones
    if (index % 8 === 0) input.progress(index / plans.length);
    const { key, component, alpha } = plan;
    if (!applies(plan, filled, input.primary)) continue;
    const interventions =
      key.method === 'pattern mean'
        ? patternInterventions(
            component.sites.map(({ at }) => at),
            patternMeans,
          )
        : treatmentInterventions(
            { component, alpha, scratch, ...(key.effect === 'direct' ? { frozen } : {}) },
            key.method,
            values,
            rowsOf.get(key.site as Site),
          );
    if (interventions === undefined) continue;
    tallies.set(planId(plan), run({ interventions: resumed(interventions, intact) })[0]);
  }
  return { hasMean, clean, tallies, activations };
}

function tallyOf(targets: Targets, result: Parameters<typeof addForward>[2]): Tally {
  const tally = emptyTally(targets.nCells);
  addForward(tally, targets, result);
  return tally;
}

function applies({ only }: Plan, { template }: TemplateBatch, primary: string): boolean {
  return only === 'all' || (only === 'pure' ? template.operation !== null : template.operation === primary);
}

type MethodValues = ReadonlyMap<EffectMethod, Replacements>;

/** Values of every method this template allows; zero needs none. */
function replacements(input: TemplateInput, clean: Replacements, hasMean: boolean): MethodValues {
  const { model, filled, donors, otherOperation, rng } = input;
  const { dModel, nHeads } = model.config;
  const out = new Map<EffectMethod, Replacements>();
  const donated = mapValues(clean, (x) => donorRows(x, donors.donor));
  out.set('resample', donated);
  if (hasMean)
    out.set(
      'mean',
      mapValues(clean, (x) => leaveOneOutMean(x, filled.nPrompts)),
    );
  if (otherOperation !== undefined) {
    const { activations } = model.forward(otherOperation.batch, { capture: [...clean.keys()] });
    out.set('other operation', select(activations, [...clean.keys()]));
  }
  // a head's columns are moved by a vector of their own length
  const byWidth = new Map([dModel, dModel / nHeads].map((w) => [w, unitDirections(N_DIRECTIONS, w, rng)]));
  out.set(
    'random',
    new Map(
      [...clean].map(([at, x]) => {
        const width = at.endsWith('attn.z') ? dModel / nHeads : dModel;
        const directions = byWidth.get(width);
        const r = donated.get(at);
        if (directions === undefined || r === undefined) throw new RangeError(`No replacement for ${at}.`);
        return [at, randomOfEqualNorm(x, r, width, directions, rng)] as const;
      }),
    ),
  );
  return out;
}

/** @returns undefined when the template has no values for the method */
function treatmentInterventions(
  base: Pick<Treatment, 'component' | 'alpha' | 'frozen' | 'scratch'>,
  method: EffectMethod,
  values: MethodValues,
  positions: Int32Array | undefined,
): Intervention[] | undefined {
  const where = positions === undefined ? base : { ...base, positions };
  if (method === 'zero') return interventionsOf({ ...where, op: 'zero' });
  const own = values.get(method);
  if (own === undefined) return undefined;
  return interventionsOf({ ...where, op: method === 'random' ? 'add' : 'replace', values: own });
}

function patternInterventions(
  writes: readonly ActivationName[],
  means: Replacements | undefined,
): Intervention[] | undefined {
  if (means === undefined) return undefined;
  const wanted = new Set<string>(writes.map((at) => at.replace(/attn_out$/, 'attn.pattern')));
  return [...means].flatMap(([at, value]): Intervention[] =>
    wanted.has(at) ? [{ at, op: 'set', value }] : [],
  );
}

export function layersOf(config: GptConfig): number[] {
  return Array.from({ length: config.nLayers }, (_, layer) => layer);
}

/** The writes of every layer to the residual stream. */
export function sublayerNames(config: GptConfig): ActivationName[] {
  return layersOf(config).flatMap((layer) => [
    activationName('attn_out', layer),
    activationName('mlp_out', layer),
  ]);
}

function select(
  from: ReadonlyMap<ActivationName, Float32Array>,
  names: readonly ActivationName[],
): Map<ActivationName, Float32Array> {
  return new Map(
    names.map((name) => {
      const values = from.get(name);
      if (values === undefined) throw new RangeError(`The engine did not return ${name}.`);
      return [name, values];
    }),
  );
}

function mapValues(from: Replacements, change: (x: Float32Array) => Float32Array): Replacements {
  return new Map([...from].map(([name, x]) => [name, change(x)]));
}
