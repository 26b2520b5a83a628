/** Numbers and names as the playground's pages write them. */
import type { AttributionPart } from '../../lens/attribution.js';
import type { Change, Treatment } from '../changes.js';

/** `99.2 %`; never 100 % of what is not whole. */
export function percent(probability: number): string {
  const shown = Math.round(1000 * probability) / 10;
  if (shown === 100 && probability < 1) return '> 99.9 %';
  if (shown === 0 && probability > 0) return '< 0.1 %';
  return `${shown} %`;
}

/** With a sign, two digits after the point. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : `+${text}`;
}

/** `L0.H1` in words. */
export function partWords(part: string): string {
  const [layer, name] = [part.slice(1, part.indexOf('.')), part.slice(part.indexOf('.') + 1)];
  if (name.startsWith('resid')) return `stream ${streamWords(part)}`;
  if (name.startsWith('H')) return `layer ${layer} head ${name.slice(1)}`;
  return `layer ${layer} ${name === 'attn' ? 'attention' : 'feed-forward'}`;
}

/** `L0.resid_mid` in words. */
export function streamWords(part: string): string {
  const [layer, name] = [part.slice(1, part.indexOf('.')), part.slice(part.indexOf('.') + 1)];
  if (name === 'resid_pre') return `before layer ${layer}`;
  return name === 'resid_mid' ? `after attention ${layer}` : `after layer ${layer}`;
}

/** `blocks.0.resid_mid` in words. */
export function stageWords(stage: string): string {
  const [, layer, name] = /^blocks\.(\d+)\.(.+)$/.exec(stage) ?? ['', '', stage];
  return stage === 'blocks.0.resid_pre' ? 'embeddings' : streamWords(`L${layer}.${name}`);
}

export const TREATMENT_WORDS: Readonly<Record<Treatment, string>> = {
  zero: 'switched off',
  mean: 'held at its mean',
  swap: 'from the other prompt',
};

export function changeWords({ part, at, how }: Change): string {
  return `${partWords(part)} ${TREATMENT_WORDS[how]}${at === undefined ? '' : ` at position ${at}`}`;
}

export function shareWords(part: AttributionPart): string {
  switch (part.kind) {
    case 'embed':
      return 'token embedding';
    case 'pos_embed':
      return 'position embedding';
    case 'interventions':
      return 'what the changes put in';
    default:
      return part.kind;
  }
}
