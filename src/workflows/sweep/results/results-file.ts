/** results.jsonl: read with every line checked, appended one durable line at a time. */
import { printable, UserError } from '../../../errors.js';
import { exists, readText } from '../../../io/files.js';
import { appendLines, repairTail } from '../../../io/log-files.js';
import { canonicalJson, parseJsonStrict } from '../../../io/json.js';
import { checkResultLine, type ResultLine, sameResult } from './result-line.js';

export const RESULTS_FILE = 'results.jsonl';

/**
 * Lines by run id, in the order of the file; an unterminated last line, the mark of a crash, is not read.
 * @throws UserError naming the first line that is none of ours, or contradicts another line of its run
 */
export function readResults(path: string): Map<string, ResultLine> {
  const results = new Map<string, ResultLine>();
  if (!exists(path)) return results;
  const lines = readText(path).split('\n');
  lines.pop();
  lines.forEach((text, index) => {
    const where = `${printable(path, 300)} line ${index + 1}`;
    const found = checkResultLine(parseLine(text, where));
    if ('problem' in found) {
      throw new UserError(
        `${where}: ${printable(found.problem, 300)}; expected a result of a run. Take the line out, or choose another --name.`,
      );
    }
    const before = results.get(found.line.id);
    if (before !== undefined && !sameResult(before, found.line)) {
      throw new UserError(
        `${where}: ${found.line.id} ended with other weights than in a line before. Find out which is right, and take the other out.`,
      );
    }
    // a run that was trained again for its moments has a second line that tells them
    const tellsMore = before?.momentsSha256 === undefined && found.line.momentsSha256 !== undefined;
    if (before === undefined || tellsMore) results.set(found.line.id, found.line);
  });
  return results;
}

function parseLine(text: string, where: string): unknown {
  try {
    return parseJsonStrict(text, { where });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${where}: found ${printable(text, 40)}, expected a result of a run as JSON. Take the line out, or choose another --name.`,
      { cause: error },
    );
  }
}

/** Drops a torn last line, once, before lines are appended. @returns bytes dropped */
export function repairResults(path: string): number {
  return repairTail(path);
}

/** Durable when it returns. */
export function appendResult(path: string, line: ResultLine): void {
  appendLines(path, [canonicalJson(line)], { sync: true });
}
