/** The command doctor on this machine. */
import { describe, expect, it } from 'vitest';
import { ENGINE_NAMES } from '../../src/engine/engine.js';
import { runCli, withFolder } from '../helpers/cli.js';

interface Doctor {
  readonly engines: readonly { readonly name: string; readonly available: boolean; readonly isa?: string }[];
  readonly auto: string;
  readonly tfjsNode: { readonly loads: boolean; readonly reason: string };
  readonly selfTest: readonly {
    readonly engine: string;
    readonly passed: boolean;
    readonly stepsPerSecond: number;
  }[];
}

describe('sumlens doctor', () => {
  it('names every engine with the reason, says whether tfjs-node loads, and trains for a moment', async () => {
    await withFolder((folder) => {
      const { code, stdout, stderr } = runCli(['doctor', '--json'], folder);
      expect(code, stderr).toBe(0);
      const report = JSON.parse(stdout) as Doctor;
      expect(report.engines.map(({ name }) => name)).toEqual([...ENGINE_NAMES]);
      const working = report.engines.filter(({ available }) => available).map(({ name }) => name);
      expect(working).toContain('wasm');
      for (const required of (process.env.REQUIRE_ENGINES ?? '').split(',').filter((name) => name !== '')) {
        expect(working, 'REQUIRE_ENGINES').toContain(required);
      }
      expect(report.auto).toContain(working[0]);
      expect(report.tfjsNode.reason).not.toBe('');
      expect(report.selfTest.map(({ engine }) => engine)).toEqual(working);
      for (const test of report.selfTest) {
        expect(test.passed).toBe(true);
        expect(test.stepsPerSecond).toBeGreaterThan(0);
      }
    });
  });
});
