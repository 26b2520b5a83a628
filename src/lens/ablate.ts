/** Ablation of named parts over prompts of one template, by the same interventions as the module `ablation`. Browser-safe. */
import type { Intervention, Model } from '../engine/engine.js';
import { UserError, unacceptable } from '../errors.js';
import { type ActivationName, activationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import {
  type Component,
  type Replacements,
  bothKinds,
  interventionsOf,
  listComponents,
} from './components.js';
import type { Prompt } from './prompt.js';
import { type LensRun, type RunOptions, lastRun, runPrompts } from './run.js';
import { donorRows, leaveOneOutMean } from './values.js';

export const ABLATIONS = ['zero', 'mean', 'resample', 'pattern'] as const;
export type Ablation = (typeof ABLATIONS)[number];

export interface AblateOptions {
  /** `L0.attn`, `L0.H1`, `L1.mlp`, `attn`, `mlp`, `all`, or components of listComponents */
  readonly parts: readonly (string | Component)[];
  /**
   * what takes the place of a part's write: zeros; its mean over the other prompts; that of another prompt (`donors`); or
   * `pattern`: attention patterns held at their mean over the other prompts, values computed as usual
   */
  readonly by: Ablation;
  /** [P] for resample: whose write each prompt takes; default the next prompt, the last takes the first's */
  readonly donors?: ArrayLike<number>;
  readonly capture?: readonly ActivationName[];
  /** as of `run`: `last` gives the last position of each prompt alone, faster for many. Default `all` */
  readonly keep?: RunOptions['keep'];
}

/** @throws UserError in one line */
export function ablatePrompts(model: Model, prompts: readonly Prompt[], options: AblateOptions): LensRun {
  const { by, capture = [], keep = 'all' } = options;
  const components = options.parts.map((part) =>
    typeof part === 'string' ? parsePart(part, model.config) : part,
  );
  checkPrompts(prompts, by);
  if (by === 'zero') {
    return runPrompts(model, prompts, {
      capture,
      keep,
      interventions: components.flatMap((component) => treat(component, 'zero')),
    });
  }
  const sites = components.flatMap((component) => component.sites.map(({ at }) => at));
  const names = by === 'pattern' ? sites.map(patternOf) : sites;
  const clean = lastRun(model, prompts, { capture: [...new Set(names)] });
  const values = new Map(
    [...clean.activations].map(
      ([at, x]) => [at, replacement(x, prompts.length, by, options.donors)] as const,
    ),
  );
  const interventions =
    by === 'pattern'
      ? components.flatMap((component) => freezePatterns(component, values))
      : components.flatMap((component) => treat(component, 'replace', values));
  return runPrompts(model, prompts, { capture, interventions, keep });
}

function treat(component: Component, op: 'zero' | 'replace', values?: Replacements): Intervention[] {
  return interventionsOf({ component, op, alpha: 1, scratch: new Map(), ...(values && { values }) });
}

function freezePatterns(component: Component, values: Replacements): Intervention[] {
  return component.sites.map(({ at, head }) => {
    const value = values.get(patternOf(at));
    if (value === undefined) throw new RangeError(`No pattern of ${at}.`);
    return { at: patternOf(at), op: 'set', value, ...(head === undefined ? {} : { heads: [head] }) };
  });
}

function patternOf(at: ActivationName): ActivationName {
  const layer = /^blocks\.(\d+)\.(?:attn_out|attn\.z)$/.exec(at)?.[1];
  if (layer === undefined) throw unacceptable('part', at, 'attention, where patterns are held');
  return activationName('attn.pattern', Number(layer));
}

function replacement(x: Float32Array, count: number, by: Ablation, donors?: ArrayLike<number>): Float32Array {
  if (by !== 'resample') return leaveOneOutMean(x, count);
  const own = Int32Array.from({ length: count }, (_, p) => donors?.[p] ?? (p + 1) % count);
  const bad = own.findIndex((donor) => !(donor >= 0 && donor < count));
  if (bad >= 0)
    throw unacceptable(`donor of prompt ${bad}`, own[bad], `a whole number from 0 to ${count - 1}`);
  return donorRows(x, own);
}

function checkPrompts(prompts: readonly Prompt[], by: Ablation): void {
  if (by === 'zero') return;
  if (prompts.length < 2) {
    throw new UserError(
      `ablation by ${by}: found ${prompts.length} prompt, expected at least 2 to take values from.`,
    );
  }
  const other = prompts.find(({ tokens }) => tokens.length !== prompts[0].tokens.length);
  if (other === undefined) return;
  throw new UserError(
    `ablation by ${by}: found prompts of ${prompts[0].tokens.length} and ${other.tokens.length} tokens, expected one length.`,
  );
}

/**
 * A part by its short name: `L0.attn`, `L0.mlp`, `L0.H1`, `attn` and `mlp` of all layers, `all`.
 * @throws UserError
 */
export function parsePart(text: string, config: GptConfig): Component {
  const components = listComponents(config);
  if (text === 'all') return bothKinds(components);
  if (text === 'attn' || text === 'mlp') return components[text === 'attn' ? 0 : 1];
  const match = /^L(\d+)\.(attn|mlp|H(\d+))$/.exec(text);
  const at = match === null ? undefined : siteName(Number(match[1]), match[2]);
  const head = match?.[3] === undefined ? undefined : Number(match[3]);
  const found = components.find(
    ({ scope, sites }) => scope !== 'kind' && sites[0].at === at && sites[0].head === head,
  );
  if (found !== undefined) return found;
  throw unacceptable('part', text, `attn, mlp, all, or one of ${partNames(config).join(', ')}`);
}

/** Short names of every part of a model but the whole kinds. */
export function partNames(config: GptConfig): string[] {
  return Array.from({ length: config.nLayers }, (_, layer) => [
    `L${layer}.attn`,
    ...Array.from({ length: config.nHeads }, (_, head) => `L${layer}.H${head}`),
    `L${layer}.mlp`,
  ]).flat();
}

function siteName(layer: number, part: string): ActivationName {
  if (part === 'mlp') return activationName('mlp_out', layer);
  return activationName(part === 'attn' ? 'attn_out' : 'attn.z', layer);
}
