/** Checks of a batch on entry, and its losses by role. Browser-safe. */
import { unacceptable } from '../../errors.js';
import { ROLES } from '../../listops/language/expression.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { assertLength } from '../../tensor/shape.js';
import type { Batch, ForwardResult } from '../engine.js';
import type { RealArray } from './module.js';

/** What the drivers need to know of a batch besides its arrays. */
export interface BatchShape {
  /** N tokens in S sequences, the longest of `longest` tokens, nTargets of them with a target */
  readonly N: number;
  readonly S: number;
  readonly longest: number;
  readonly nTargets: number;
}

/** Throws a UserError naming the first entry that the model cannot take; the kernels index without checks. */
export function checkBatch(config: GptConfig, batch: Batch): BatchShape {
  const { tokens, targets, roles, offsets } = batch;
  const N = tokens.length;
  const S = offsets.length - 1;
  assertLength(targets, N, 'batch.targets [N]');
  assertLength(roles, N, 'batch.roles [N]');
  if (S < 1 || offsets[0] !== 0 || offsets[S] !== N) {
    throw unacceptable(
      'batch.offsets',
      Array.from(offsets.slice(0, 8)),
      `0, then the end of each sequence up to ${N} (the number of tokens)`,
      'A batch has at least one sequence.',
    );
  }
  let longest = 0;
  for (let s = 0; s < S; s++) {
    const length = offsets[s + 1] - offsets[s];
    if (length < 1 || length > config.nCtx) {
      throw unacceptable(`length of sequence ${s}`, length, `1 to nCtx (${config.nCtx})`);
    }
    if (length > longest) longest = length;
  }
  let nTargets = 0;
  for (let i = 0; i < N; i++) {
    if (tokens[i] < 0 || tokens[i] >= config.dVocab) {
      throw unacceptable(`batch.tokens[${i}]`, tokens[i], `a token id below dVocab (${config.dVocab})`);
    }
    if (targets[i] < -1 || targets[i] >= config.dVocab) {
      throw unacceptable(
        `batch.targets[${i}]`,
        targets[i],
        `-1, or a token id below dVocab (${config.dVocab})`,
      );
    }
    if (targets[i] >= 0) nTargets++;
  }
  return { N, S, longest, nTargets };
}

/** Sums in float64, in the order of positions. @param losses - [nTargets] */
export function sumLossByRole(batch: Batch, losses: RealArray): ForwardResult['lossByRole'] {
  const sums = new Float64Array(ROLES.length);
  const counts = new Int32Array(ROLES.length);
  const { targets, roles } = batch;
  let next = 0;
  for (let i = 0; i < targets.length; i++) {
    if (targets[i] < 0) continue;
    const role = roles[i];
    if (role >= 0 && role < sums.length) {
      sums[role] += losses[next];
      counts[role]++;
    }
    next++;
  }
  return ROLES.map((_, role) => ({ sumNats: sums[role], count: counts[role] }));
}

/** Position and target of every row with a target, in order. */
export function targetRows(batch: Batch, nTargets: number): { rows: Int32Array; targets: Int32Array } {
  const rows = new Int32Array(nTargets);
  const targets = new Int32Array(nTargets);
  let next = 0;
  for (let i = 0; i < batch.targets.length; i++) {
    if (batch.targets[i] < 0) continue;
    rows[next] = i;
    targets[next++] = batch.targets[i];
  }
  return { rows, targets };
}
