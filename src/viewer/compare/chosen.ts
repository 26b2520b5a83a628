/** Which checkpoints an address of the page of comparison names. Folders come from the listing, never from the address. */
import { printable, UserError } from '../../errors.js';
import { MOST_COMPARED } from '../contract/compare.js';
import type { RunSummary } from '../contract.js';

/** What one part of the address stands for. */
export interface Chosen {
  /** as written: `<address of a run>@<step>`, `@all`, `@last`, `@final` */
  readonly text: string;
  readonly run: RunSummary;
  /** `16000`, `all`, `last`, `final` */
  readonly steps: string;
}

const PART = /^(.+?)(?:@(\d{1,15}|all|last|final))?$/;

/**
 * @param of - parts with commas between them; the address of a run may hold a comma itself
 * @throws UserError naming the part that means nothing
 */
export function chosenOf(of: string, runs: readonly RunSummary[]): Chosen[] {
  const known = new Map(runs.filter((run) => run.open).map((run) => [run.address, run]));
  const pieces = of.split(',');
  const chosen: Chosen[] = [];
  for (let i = 0; i < pieces.length;) {
    let next = i + 1;
    let found: Chosen | undefined;
    for (let end = pieces.length; end > i && found === undefined; end--) {
      found = partOf(pieces.slice(i, end).join(','), known);
      next = end;
    }
    if (found === undefined) {
      throw new UserError(
        `of: found "${printable(pieces[i], 200)}", expected a run of the list, such as <run>@<step>, <run>@last or <run>@all.`,
      );
    }
    chosen.push(found);
    i = next;
  }
  const distinct = chosen.filter(({ text }, i) => chosen.findIndex((other) => other.text === text) === i);
  if (distinct.length > MOST_COMPARED) {
    throw new UserError(`of: found ${distinct.length} parts, expected at most ${MOST_COMPARED}.`);
  }
  return distinct;
}

function partOf(text: string, known: ReadonlyMap<string, RunSummary>): Chosen | undefined {
  const whole = known.get(text);
  if (whole !== undefined) return { text: `${text}@last`, run: whole, steps: 'last' };
  const [, address, steps = 'last'] = PART.exec(text) ?? [];
  const run = address === undefined ? undefined : known.get(address);
  return run === undefined ? undefined : { text: `${run.address}@${steps}`, run, steps };
}
