/**
 * Path patching (Wang et al. 2023, "Interpretability in the Wild"; Goldowsky-Dill et al. 2023): how much of a sender's change
 * reaches the answer through one receiver, on the direct path between them. Every other sublayer is held at its clean write
 * while the receiver's input is found; then the receiver alone takes it and everything after is computed. Browser-safe.
 */
import type { Intervention, Model } from '../engine/engine.js';
import { UserError } from '../errors.js';
import { type ActivationName, activationName } from '../model/activations.js';
import { METRICS, type Metric, type PatchResult, type PromptPair, checkPairs, effectOf } from './patch.js';
import { type LensRun, logitsAt, rowOf, runPrompts } from './run.js';

export type Sender =
  | { readonly kind: 'embed' }
  | { readonly kind: 'attention' | 'feed-forward'; readonly layer: number }
  | { readonly kind: 'head'; readonly layer: number; readonly head: number };

export type Receiver =
  | { readonly kind: 'logits' }
  /** `head` absent: all heads of the layer; `input` absent: queries, keys and values */
  | {
      readonly kind: 'attention';
      readonly layer: number;
      readonly head?: number;
      readonly input?: 'q' | 'k' | 'v';
    }
  | { readonly kind: 'feed-forward'; readonly layer: number };

export interface Path {
  readonly from: Sender;
  readonly to: Receiver;
}

/** Where a part stands in the order of computation: attention of layer l at 2 l, feed-forward at 2 l + 1. */
function placeOf(part: Sender | Receiver, nLayers: number): number {
  if (part.kind === 'embed') return -1;
  if (part.kind === 'logits') return 2 * nLayers;
  return 2 * part.layer + (part.kind === 'feed-forward' ? 1 : 0);
}

function senderSite(from: Sender): { at: ActivationName; heads?: number[] } {
  if (from.kind === 'embed') return { at: 'embed' };
  if (from.kind === 'head') return { at: activationName('attn.z', from.layer), heads: [from.head] };
  return { at: activationName(from.kind === 'attention' ? 'attn_out' : 'mlp_out', from.layer) };
}

function receiverSites(to: Receiver): { at: ActivationName; heads?: number[] }[] {
  if (to.kind === 'logits') return [];
  if (to.kind === 'feed-forward') return [{ at: activationName('mlp.pre', to.layer) }];
  const inputs = to.input === undefined ? (['q', 'k', 'v'] as const) : [to.input];
  return inputs.map((input) => ({
    at: activationName(`attn.${input}`, to.layer),
    ...(to.head === undefined ? {} : { heads: [to.head] }),
  }));
}

/** @throws UserError for a receiver that does not come after its sender, or pairs of unequal length */
export function patchPaths(
  model: Model,
  pairs: readonly PromptPair[],
  paths: readonly Path[],
  metric: Metric = METRICS['logit difference'],
): PatchResult {
  checkPairs(pairs);
  const { nLayers } = model.config;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const writes = layers.flatMap((layer) => [
    activationName('attn_out', layer),
    activationName('mlp_out', layer),
  ]);
  for (const { from, to } of paths) {
    if (placeOf(from, nLayers) < placeOf(to, nLayers)) continue;
    throw new UserError(
      `path: found ${partText(from)} to ${partText(to)}, expected a receiver that is computed after its sender.`,
    );
  }
  const prompts = pairs.map(({ clean }) => clean);
  const clean = runPrompts(model, prompts, { capture: writes });
  const corrupted = runPrompts(
    model,
    pairs.map((pair) => pair.corrupted),
    { capture: [...new Set(paths.map(({ from }) => senderSite(from).at))] },
  );
  const metricOf = (run: LensRun): Float64Array =>
    Float64Array.from(pairs, (pair, p) => metric(logitsAt(run, rowOf(run, p)), pair));
  const set = (run: LensRun, site: { at: ActivationName; heads?: number[] }): Intervention => {
    const value = run.activations.get(site.at);
    if (value === undefined) throw new RangeError(`The engine did not return ${site.at}.`);
    return { ...site, op: 'set', value };
  };
  const values = paths.map(({ from, to }) => {
    const sites = receiverSites(to);
    // a head writes through its layer's attn_out, which then stays free
    const free = from.kind === 'embed' ? undefined : writes[placeOf(from, nLayers)];
    const frozen = writes.filter((at) => at !== free).map((at) => set(clean, { at }));
    const direct = runPrompts(model, prompts, {
      capture: sites.map(({ at }) => at),
      interventions: [set(corrupted, senderSite(from)), ...frozen],
    });
    if (to.kind === 'logits') return metricOf(direct);
    return metricOf(runPrompts(model, prompts, { interventions: sites.map((site) => set(direct, site)) }));
  });
  const [from, to] = [metricOf(clean), metricOf(corrupted)];
  return { values, clean: from, corrupted: to, effect: effectOf(values, from, to) };
}

function partText(part: Sender | Receiver): string {
  if (part.kind === 'embed') return 'the embedding';
  if (part.kind === 'logits') return 'the logits';
  if (part.kind === 'head') return `head ${part.layer}.${part.head}`;
  return `${part.kind} ${part.layer}`;
}
