/** From the reference runs through a module and the exported CSV to the same verdicts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimLines } from '../../src/cli/terminal/table.js';
import { packageRoot } from '../../src/io/package-root.js';
import { parseReport } from '../../src/report/parse-report.js';
import { runCli, withFolder } from '../helpers/cli.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUNS = readdirSync(REFERENCE).map((run) => join(REFERENCE, run));

it('verdicts of the exported CSV are those of the report, byte for byte', () =>
  withFolder((folder) => {
    const probed = runCli(['probe', 'embedding-pca', ...RUNS, '--name', 'six', '--quiet'], folder);
    expect(probed.code, probed.stderr).toBe(0);
    const path = join(folder, 'reports', 'six', 'report.json');
    const report = parseReport(readFileSync(path), path);
    expect(report.claims.find(({ part }) => part === 'C3a')?.estimate).toBeTypeOf('number');
    expect(runCli(['report', path, '--csv', 'o.csv', '--quiet'], folder).code).toBe(0);
    const printed = `${claimLines(report.claims)}\n`;
    expect(probed.stdout.startsWith(printed)).toBe(true);
    expect(runCli(['verdicts', 'o.csv'], folder)).toEqual({ code: 0, stdout: printed, stderr: '' });
    expect(runCli(['verdicts', path], folder)).toEqual({ code: 0, stdout: printed, stderr: '' });
  }));
