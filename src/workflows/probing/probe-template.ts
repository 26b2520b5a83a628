/** The text of a module with one statistic, for "sumlens new-probe": it runs as it is. */
import { MORE_PROBES, PROBES } from '../../../probes/index.js';
import { unacceptable, UserError } from '../../errors.js';
import { createExclusively } from '../../io/files.js';

/** Names that mean something else on the command line or in a report. */
const TAKEN: readonly string[] = [
  'all',
  'learning',
  'report',
  ...[...PROBES, ...MORE_PROBES].map(({ name }) => name),
];

/**
 * Writes `<name>.ts` into the current folder.
 * @returns its path
 * @throws UserError for a name that no module may have, or a file that is there
 */
export function writeTemplate(name: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40 || TAKEN.includes(name)) {
    throw unacceptable(
      'new-probe',
      name,
      `a name of at most 40 small letters, digits and dashes, such as number-length, other than ${TAKEN.join(', ')}`,
    );
  }
  const path = `${name}.ts`;
  if (!createExclusively(path, probeTemplate(name)))
    throw new UserError(`new-probe: ${path} is there already. Choose another name, or delete it first.`);
  return path;
}

/** At most forty lines. @param name - kebab-case */
export function probeTemplate(name: string): string {
  const title = `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`;
  return `/** One number of every checkpoint; finding, comparison, picture, series and column of the table come from it. */
import { gptConfigOf, parameterTable, parameterView, TOKEN_EMBEDDING, vocabularyOf } from 'sumlens';
import type { Probe } from 'sumlens';

/** What is kept of one checkpoint: plain JSON. */
interface Measurement {
  readonly length: number;
}

export const probe: Probe<Measurement> = {
  name: '${name}',
  title: '${title}',
  question: 'How long are the embeddings of the numbers?',
  // raise it when the number changes its meaning
  version: 1,
  measure({ config, parameters }) {
    const gpt = gptConfigOf(config);
    // [vocabulary, width], row by row; the rows of the numbers 0 to n - 1 are beside each other
    const embedding = parameterView(parameterTable(gpt), parameters, TOKEN_EMBEDDING);
    const first = vocabularyOf(config.data).firstNumber * gpt.dModel;
    const rows = embedding.subarray(first, first + config.data.modulus * gpt.dModel);
    const squares = rows.reduce((sum, value) => sum + value * value, 0);
    return { length: Math.sqrt(squares / config.data.modulus) };
  },
  statistics: [
    {
      id: 'length',
      title: 'Length of the number embeddings',
      formula: 'root mean square of |row| over the numbers',
      unit: '1',
      sentence: 'how long the embedding of a number is',
      of: ({ length }) => [{ value: length }],
    },
  ],
};
`;
}
