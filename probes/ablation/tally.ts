/** Counts of one forward pass over a template, by operation and role of the target; sums only, so that templates add up. */
import type { ForwardResult } from '../../src/engine/engine.js';
import { ROLES } from '../../src/listops/language/expression.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import type { AnnotatedBatch } from '../../src/listops/language/sequence.js';
import { argmax } from '../../src/tensor/math.js';

/** Cell of (operation, role): index into tallies. */
export function cellIndex(tasks: readonly string[], operation: string, role: number): number {
  return tasks.indexOf(operation) * ROLES.length + role;
}

export function cellNames(tasks: readonly string[]): string[] {
  return tasks.flatMap((task) => ROLES.map((role) => `${task} ${role}`));
}

/** Where the targets of a batch are counted. */
export interface Targets {
  readonly nCells: number;
  /** [nTargets] */
  readonly tokens: Int32Array;
  readonly cells: Int32Array;
  readonly roles: Int32Array;
  readonly sequences: Int32Array;
  readonly nSequences: number;
}

export function targetsOf(batch: AnnotatedBatch, tasks: readonly string[]): Targets {
  const tokens: number[] = [];
  const cells: number[] = [];
  const roles: number[] = [];
  const sequences: number[] = [];
  const nSequences = batch.offsets.length - 1;
  for (let s = 0; s < nSequences; s++) {
    for (let row = batch.offsets[s]; row < batch.offsets[s + 1]; row++) {
      if (batch.targets[row] < 0) continue;
      tokens.push(batch.targets[row]);
      cells.push(cellIndex(tasks, OPERATION_NAMES[batch.operations[row]], batch.roles[row]));
      roles.push(batch.roles[row]);
      sequences.push(s);
    }
  }
  return {
    nCells: tasks.length * ROLES.length,
    tokens: Int32Array.from(tokens),
    cells: Int32Array.from(cells),
    roles: Int32Array.from(roles),
    sequences: Int32Array.from(sequences),
    nSequences,
  };
}

export interface Tally {
  /** [cells] */
  readonly nats: Float64Array;
  readonly correct: Float64Array;
  readonly count: Float64Array;
  /** chains right as a whole, and chains by the role of the first wrong token */
  exact: number;
  readonly firstWrong: Float64Array;
}

export function emptyTally(nCells: number): Tally {
  return {
    nats: new Float64Array(nCells),
    correct: new Float64Array(nCells),
    count: new Float64Array(nCells),
    exact: 0,
    firstWrong: new Float64Array(ROLES.length),
  };
}

/**
 * Adds one forward pass. The first wrong token of the teacher-forced chain is that of greedy free-running generation under
 * the same ablation: up to it both see the same tokens, and nothing later can change it (attention is causal, and a
 * replacement depends on the prompt and the position alone).
 */
export function addForward(tally: Tally, targets: Targets, { logits, losses }: ForwardResult): void {
  const { tokens, cells, roles, sequences, nSequences } = targets;
  const width = logits.length / tokens.length;
  let wrongSequence = -1;
  let wrongSequences = 0;
  for (let i = 0; i < tokens.length; i++) {
    const cell = cells[i];
    tally.nats[cell] += losses[i];
    tally.count[cell]++;
    if (argmax(logits, i * width, width) === tokens[i]) tally.correct[cell]++;
    else if (sequences[i] !== wrongSequence) {
      wrongSequence = sequences[i];
      wrongSequences++;
      tally.firstWrong[roles[i]]++;
    }
  }
  tally.exact += nSequences - wrongSequences;
}

/** Adds `part` to `total`. */
export function addTally(total: Tally, part: Tally): void {
  for (let cell = 0; cell < total.nats.length; cell++) {
    total.nats[cell] += part.nats[cell];
    total.correct[cell] += part.correct[cell];
    total.count[cell] += part.count[cell];
  }
  part.firstWrong.forEach((count, role) => (total.firstWrong[role] += count));
  total.exact += part.exact;
}
