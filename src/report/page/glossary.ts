/** Terms in one line each: on hover where they stand in a sentence, and all together at the end of the page. */
import { html, type Html } from './html.js';

/** Lower case; plural forms are found with the singular. */
export const TERMS: readonly (readonly [term: string, meaning: string])[] = [
  ['ablation', 'replacing what a part of the model writes, to see what is lost without it'],
  ['resample', 'replace a write by what the same part writes on another prompt of the same shape'],
  ['mean ablation', 'replace a write by its average over prompts of the same shape'],
  ['attention pattern', 'how strongly each position reads from each earlier one'],
  ['feed-forward layer', 'the part of a block that works on each position by itself'],
  [
    'nats',
    'unit of loss: the natural logarithm of how surprising the right answer was; 0 is certain, ln n a blind guess among n',
  ],
  ['octave', 'a factor of two'],
  ['coset', 'the numbers with one remainder: right up to a coset of 5 means right modulo 5'],
  ['ring', 'numbers arranged in a circle, n-1 beside 0'],
  ['closure', 'how near the two ends of the curve 0, 1, ..., n-1 lie: small for a ring, large for a line'],
  [
    'naming',
    'SUM cannot tell the numbers i from u times i, for u without a common divisor with n: each u is another naming',
  ],
  ['parity', 'even or odd'],
  ['hold-out', 'sets of operands that training never shows, to tell knowing from computing'],
  [
    'memorization index',
    '1 when only trained pairs are answered right, 0 when held-out ones are answered as well',
  ],
  ['seed', 'the number that fixes the initial weights and the order of examples; seeds are replicates'],
  ['spread', 'standard deviation of one seed around its condition'],
  ['interval', 'where the true mean over seeds lies in 95 of 100 such experiments; claims ask for 99.17'],
  ['p', 'how often chance alone would give as much'],
  ['verdict', 'what an interval says of a claim by rules that were fixed before the runs'],
  ['interim', 'decided before the planned number of seeds was there: it may still change'],
  ['null', 'what chance gives for this very model, by shuffling the numbers'],
  ['probe', 'a simple classifier that reads one fact from the activations of a model'],
];

/** A sentence whose terms carry their meaning on hover; each term is marked once. */
export function withTerms(sentence: string): Html {
  const found = TERMS.flatMap(([term, meaning]) => {
    const at = sentence.toLowerCase().search(new RegExp(`\\b${term}s?\\b`));
    if (at < 0) return [];
    const [shown] = sentence.slice(at).match(new RegExp(`^${term}s?`, 'i')) ?? [''];
    return [{ at, shown, meaning }];
  }).sort((a, b) => a.at - b.at);
  const parts: (string | Html)[] = [];
  let from = 0;
  for (const { at, shown, meaning } of found) {
    if (at < from || shown === '') continue;
    parts.push(sentence.slice(from, at), html`<abbr title="${meaning}">${shown}</abbr>`);
    from = at + shown.length;
  }
  parts.push(sentence.slice(from));
  return html`${parts}`;
}

export function glossary(): Html {
  return html`<section class="glossary" aria-labelledby="glossary">
    <h2 id="glossary">Terms</h2>
    <dl>
      ${TERMS.map(
        ([term, meaning]) =>
          html`<dt>${term}</dt>
            <dd>${meaning}</dd>`,
      )}
    </dl>
  </section>`;
}
