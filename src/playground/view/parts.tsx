/** Direct contributions to the answer, part by part; each part is the switch that changes it. */
import type { GptConfig } from '../../model/gpt-config.js';
import { type Change, type Treatment, isSamePlace } from '../changes.js';
import type { Look, Share } from '../player.js';
import { TREATMENT_WORDS, partWords, shareWords, signed } from './words.js';

interface PartsProps {
  readonly look: Look;
  readonly gpt: GptConfig;
  readonly changes: readonly Change[];
  readonly how: Treatment;
  readonly at: number | undefined;
  readonly onToggle: (change: Change) => void;
}

interface Row {
  /** absent: nothing to switch */
  readonly part?: string;
  readonly text: string;
  readonly value: number;
  /** one of several heads, whose sum stands above */
  readonly isInner?: boolean;
}

export function Parts({ look, gpt, changes, how, at, onToggle }: PartsProps) {
  const rows = rowsOf(look.shares, gpt);
  const most = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)));
  return (
    <table class="pg-parts">
      <caption>
        Added to the logit of <q>{look.target}</q> less the mean over all {look.against}: {signed(look.total)}{' '}
        in all
      </caption>
      <tbody>
        {rows.map(({ part, text, value, isInner }) => {
          const own = part === undefined ? [] : changes.filter((change) => change.part === part);
          const change = part === undefined ? undefined : { part, how, ...(at === undefined ? {} : { at }) };
          const isOn =
            change !== undefined && own.some((other) => isSamePlace(other, change) && other.how === how);
          return (
            <tr key={text} class={isInner === true ? 'pg-inner' : ''}>
              <th scope="row">
                {change === undefined ? (
                  text
                ) : (
                  <button type="button" aria-pressed={isOn} onClick={() => onToggle(change)}>
                    {text}
                  </button>
                )}
                {own.map((other) => (
                  <small key={`${other.how} ${other.at ?? ''}`}>
                    {TREATMENT_WORDS[other.how]}
                    {other.at === undefined ? '' : ` at ${other.at}`}
                  </small>
                ))}
              </th>
              <td class="pg-signed">
                <span
                  aria-hidden="true"
                  class={value < 0 ? 'pg-minus' : 'pg-plus'}
                  style={{ width: `${(50 * Math.abs(value)) / most}%` }}
                />
              </td>
              <td class="pg-number">{signed(value)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Embeddings, then attention (and its heads) and feed-forward of every layer, each with its bias, then the rest. */
function rowsOf(shares: readonly Share[], { nLayers, nHeads }: GptConfig): Row[] {
  const sum = (wanted: (share: Share) => boolean): number =>
    shares.filter(wanted).reduce((total, { value }) => total + value, 0);
  const inLayer = (layer: number, ...kinds: readonly string[]): number =>
    sum(({ part }) => 'layer' in part && part.layer === layer && kinds.includes(part.kind));
  const whole = (share: Share): Row => ({ text: shareWords(share.part), value: share.value });
  return [
    ...shares.filter(({ part }) => part.kind === 'embed' || part.kind === 'pos_embed').map(whole),
    ...Array.from({ length: nLayers }, (_, layer): Row[] => [
      {
        part: `L${layer}.attn`,
        text: partWords(`L${layer}.attn`),
        value: inLayer(layer, 'head', 'attention bias'),
      },
      ...(nHeads === 1 ? [] : shares).flatMap(({ part, value }): Row[] =>
        part.kind === 'head' && part.layer === layer
          ? [
              {
                part: `L${layer}.H${part.head}`,
                text: partWords(`L${layer}.H${part.head}`),
                value,
                isInner: true,
              },
            ]
          : [],
      ),
      {
        part: `L${layer}.mlp`,
        text: partWords(`L${layer}.mlp`),
        value: inLayer(layer, 'feed-forward', 'feed-forward bias'),
      },
    ]).flat(),
    ...shares.filter(({ part }) => part.kind === 'readout bias' || part.kind === 'interventions').map(whole),
  ];
}
