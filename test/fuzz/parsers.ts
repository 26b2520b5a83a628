/**
 * Properties of every parser of text from outside, for the fuzzer and for a short test: what is refused is refused with one
 * line; what is accepted obeys the format as an independent look at it finds, and comes back from what is written of it.
 */
import fc from 'fast-check';
import { canonicalJson, parseJsonStrict } from '../../src/io/json.js';
import { expectEqual, graceful, mutatedText } from './hostile-input.js';
import { commandProperties } from './parsers-commands.js';
import { fileProperties } from './parsers-files.js';

export type AnyProperty = fc.IProperty<unknown>;

const json = fc.property(
  fc.oneof(
    mutatedText([
      '{"a":[1,2.5e3,{"b":"\\u00e9"}],"c":null}',
      '[[[["x",-0,true]]]]',
      '{"NaN":"Infinity"}',
      '[9007199254740992.0]',
    ]),
    fc.json(),
  ),
  (text) => {
    const found = graceful(() => parseJsonStrict(text, { where: 'text' }));
    if (found === undefined) return;
    expectEqual(found.value, JSON.parse(text), 'JSON.parse reads something else');
    const written = canonicalJson(found.value);
    const again = parseJsonStrict(written, { where: 'again' });
    expectEqual(again, found.value, 'canonical text is read as something else');
  },
);

/** By name, as `--only parsers:<name>` takes it. */
export function parserProperties(): ReadonlyMap<string, AnyProperty> {
  return new Map<string, AnyProperty>(Object.entries({ json, ...fileProperties(), ...commandProperties() }));
}

/** Inputs of one property before the next one has its turn. */
const RUNS = 200;

/**
 * Every property in turn until the time or the cases are over; the seed goes up by one each time. Ends at the first that fails.
 * @param only - the name of one property; empty: all
 * @returns inputs that were tried, and rounds in which every property had its turn
 */
export function fuzzParsers(options: {
  readonly only: string;
  readonly seed: number;
  /** rounds of RUNS inputs a property */
  readonly cases: number;
  /** performance.now() of the end */
  readonly end: number;
  readonly say: (line: string) => void;
}): { readonly inputs: number; readonly rounds: number } {
  const { only, cases, end, say } = options;
  const all = parserProperties();
  const chosen = [...all].filter(([name]) => only === '' || name === only);
  if (chosen.length === 0) throw new Error(`No parser ${only}; there are ${[...all.keys()].join(', ')}.`);
  let inputs = 0;
  let round = 0;
  for (; round < cases; round++) {
    for (const [name, property] of chosen) {
      if (performance.now() > end) return { inputs, rounds: round };
      const seed = options.seed + round;
      say(`case ${seed} ${name}`);
      const found = fc.check(property, { seed, numRuns: RUNS });
      inputs += found.numRuns;
      if (!found.failed) continue;
      const shown = JSON.stringify(found.counterexample)?.slice(0, 2000) ?? '';
      const error = found.errorInstance instanceof Error ? found.errorInstance : new Error('false');
      say(`problem ${name}: ${(error.stack ?? error.message).split('\n').slice(0, 6).join(' | ')}`);
      say(`problem ${name}: smallest input: ${shown}`);
      return { inputs, rounds: round };
    }
  }
  return { inputs, rounds: round };
}
