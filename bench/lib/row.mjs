/** What a row of the benchmark is, and what came out of it. */

/** Why a row could not be measured; anything else that is thrown is reported the same way, with its message. */
export class NotMeasured extends Error {}

/**
 * @typedef {object} Row
 * @property {string} id - `pytorch d=16`
 * @property {string} group - what --only names beside ids
 * @property {string} measure - what the ratio is
 * @property {{atLeast?: number, atMost?: number}} [goal] - absent: for information
 * @property {true} [long] - with --long only
 * @property {boolean} [needsPeer] - not a failure with --allow-missing-peers
 * @property {(context: object) => Promise<Measured>} run
 *
 * @typedef {object} Measured
 * @property {{median: number, q1: number, q3: number, n: number}} wall - of the ratio; its median decides
 * @property {object} [cpu] - the same by processor time
 * @property {string} note - what was compared with what, absolute times
 * @property {object} [details] - for the JSON file
 */

/** @returns {'met' | 'missed' | 'for information'} */
export function judge(goal, value) {
  if (goal === undefined) return 'for information';
  const met = goal.atLeast !== undefined ? value >= goal.atLeast : value <= goal.atMost;
  return met ? 'met' : 'missed';
}

export function goalText(goal, unit = '') {
  if (goal === undefined) return '';
  return goal.atLeast !== undefined ? `>= ${goal.atLeast}${unit}` : `<= ${goal.atMost}${unit}`;
}

/** Measures one row; never throws. */
export async function measureRow(row, context) {
  const { id, group, measure, goal } = row;
  const begin = performance.now();
  try {
    const found = await row.run(context);
    const seconds = (performance.now() - begin) / 1000;
    return { id, group, measure, goal, status: judge(goal, found.wall.median), ...found, seconds };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const missing = error instanceof NotMeasured && row.needsPeer === true;
    return { id, group, measure, goal, status: 'not measured', reason, missingPeer: missing };
  }
}

/** Throws unless all losses of all contenders agree, step by step. @param losses - [name, number[]][] */
export function sameLosses(losses, tolerance = 2e-5) {
  const [[first, reference], ...others] = losses;
  for (const [name, found] of others) {
    reference.forEach((loss, step) => {
      if (!(Math.abs(found[step] - loss) <= tolerance * (1 + step))) {
        throw new Error(`losses differ at step ${step + 1}: ${first} ${loss}, ${name} ${found[step]}`);
      }
    });
  }
}
