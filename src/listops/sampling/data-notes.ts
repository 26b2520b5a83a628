/**
 * Sentences for the report's notes on its data: what a single operand tells of the result, an operation each, and which
 * lines of a file were used.
 */
import type { DataConfig } from '../data-config.js';
import { operationStatistics } from './statistics.js';
import type { OperationStatistics } from './statistics.js';

/**
 * @param group - configurations of runs that differ in the seed of the hold-out only
 * @returns a note for each operation, in table order
 */
export function mutualInformationNotes(group: readonly DataConfig[]): string[] {
  const byHoldout = new Map(group.map((data) => [data.regime === 'full' ? 0 : data.holdoutSeed, data]));
  const statistics = [...byHoldout.values()].map(operationStatistics);
  const data = group.at(0);
  if (data === undefined) return [];
  const operations = [...new Set(statistics[0].map(({ operation }) => operation))];
  return operations.map((operation) => {
    const parts = [...new Set(statistics[0].map(({ arity }) => arity))].map((arity) => {
      const rows = statistics.flatMap((all) =>
        all.filter((row) => row.operation === operation && row.arity === arity),
      );
      return `${arity} operands ${informationText(rows)}`;
    });
    const holdouts = data.regime === 'full' ? '' : ` over ${countText(statistics.length, 'hold-out')}`;
    return (
      `Regime ${data.regime}, ${operation} modulo ${data.modulus}: mutual information of one operand with the ` +
      `result${holdouts}, nats: ${parts.join('; ')}.`
    );
  });
}

/** What was used of a file; undefined when the examples are generated. */
export function fileNote({ file, medianOfEven, modulus }: DataConfig): string | undefined {
  if (file === undefined) return undefined;
  const { name, sha256, lines, kept, dropped, bareNumbers, maxTokens, heldFraction } = file;
  const left = [
    ...(dropped > 0 ? [`${dropped} of more than ${maxTokens ?? file.longest} tokens left out`] : []),
    ...(bareNumbers > 0 ? [`${bareNumbers} of a bare number left out`] : []),
  ];
  return (
    `Examples are ${[`${kept} of ${lines} lines of ${name} (SHA-256 ${sha256})`, ...left].join(', ')}; every label was ` +
    `computed again modulo ${modulus} with MED of an even count ${medianOfEven}. Held out of training: ` +
    `${Number((100 * heldFraction).toPrecision(3))} % of the distinct expressions, drawn by the hold-out seed.`
  );
}

/** The range over hold-outs; by position of the operand where positions differ. */
function informationText(rows: readonly OperationStatistics[]): string {
  const arity = rows[0].arity;
  const ranges = Array.from({ length: arity }, (_, i) => {
    const values = rows.map((row) => row.mutualInformationNats[i]);
    const [low, high] = [Math.min(...values).toFixed(4), Math.max(...values).toFixed(4)];
    return low === high ? low : `${low} to ${high}`;
  });
  const sampled = rows.every((row) => row.exact) ? '' : ' (sampled)';
  if (new Set(ranges).size === 1) return `${ranges[0]}${sampled}`;
  return `${ranges.map((range, i) => `${range} (operand ${i + 1})`).join(', ')}${sampled}`;
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
