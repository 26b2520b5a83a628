/**
 * What the picture of starts and company shows, in sentences: how many seeds learned SUM at each depth, alone and beside MAX and
 * MED, and from a larger start of the embeddings. Pure and browser-safe.
 */
import { SMALL_START } from '../../evidence/claims-file.js';
import { groupBy } from '../../evidence/group-by.js';
import { grouped } from '../../evidence/results.js';
import type { StartCount } from './start-and-company.js';

const total = (counts: readonly StartCount[]): { readonly learned: number; readonly runs: number } => ({
  learned: counts.reduce((sum, { learned }) => sum + learned, 0),
  runs: counts.reduce((sum, { runs }) => sum + runs, 0),
});

/** `12 of 40 seeds (2,504 to 17,808 parameters; in most of each size's from 8,080 on)` */
function shareText(counts: readonly StartCount[]): string {
  const { learned, runs } = total(counts);
  const sizes = counts.map(({ parameters }) => parameters);
  const range =
    sizes.length === 1
      ? `${grouped(sizes[0])} parameters`
      : `${grouped(Math.min(...sizes))} to ${grouped(Math.max(...sizes))} parameters`;
  const from = mostFrom(counts);
  const most =
    from === undefined || learned === runs || sizes.length === 1
      ? ''
      : `; in most of each size's from ${grouped(from)} on`;
  return `${learned} of ${runs} seeds (${range}${most})`;
}

/** The smallest size from which on more than half of the seeds of every size learned. */
function mostFrom(counts: readonly StartCount[]): number | undefined {
  let from: number | undefined;
  for (const { parameters, learned, runs } of [...counts].sort((a, b) => b.parameters - a.parameters)) {
    if (learned * 2 <= runs) break;
    from = parameters;
  }
  return from;
}

/** Alone, then beside MAX and MED. */
const arms = (counts: readonly StartCount[]): StartCount[][] =>
  [false, true].map((company) => counts.filter((count) => count.company === company));

/** @param counts - of all depths */
export function depthSentence(depth: number, counts: readonly StartCount[]): string {
  const own = counts.filter((count) => count.depth === depth && count.embeddingInit === SMALL_START);
  if (own.length === 0) return `At depth ${depth} no run of SUM with nothing held out is finished yet.`;
  const [alone, beside] = arms(own).map((some) =>
    some.length === 0 ? 'no seed yet, as none is finished' : shareText(some),
  );
  return `At depth ${depth}, with ${grouped(own[0].steps)} steps and nothing held out, SUM alone was learned by ${alone}, and beside MAX and MED by ${beside}.`;
}

/** @param more - goes before the full stop */
export function startSentence(counts: readonly StartCount[], more = ''): string {
  const larger = counts.filter(({ embeddingInit }) => embeddingInit !== SMALL_START);
  if (larger.length === 0) return 'No run from a larger start of the token embeddings is finished yet.';
  const parts = [...groupBy(larger, ({ depth }) => String(depth)).values()].map((own) => {
    const texts = arms(own).flatMap((some, i) =>
      some.length === 0 ? [] : [`${i === 0 ? 'alone' : 'beside MAX and MED'} by ${shareText(some)}`],
    );
    return `at depth ${own[0].depth} ${texts.join(' and ')}`;
  });
  const starts = [...new Set(larger.map(({ embeddingInit }) => embeddingInit))].join(' or ');
  return `From a larger start of the token embeddings alone (standard deviation ${starts} instead of ${SMALL_START}) SUM was learned ${parts.join('; ')}${more}.`;
}
