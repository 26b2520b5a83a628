import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/evidence/conditions.js';
import { evidenceOfReport } from '../../../src/report/evidence-of-report.js';
import { startAndCompany } from '../../../src/report/charts/start-and-company.js';
import { compileWarnings } from '../compile.js';
import { exampleReport } from '../example-report.js';

const { conditions } = evidenceOfReport(exampleReport({ seeds: 3, points: 20 }));
const alone = conditions.find(({ design }) => design.regime === 'full' && design.tasks.join() === 'SUM');

interface Place {
  readonly depth: number;
  readonly embeddingInit: number;
  readonly parameters: number;
}

/** SUM alone at a place; nobody learned. */
function at(place: Place): Condition {
  if (alone === undefined) throw new Error('the example has no condition of SUM alone');
  const { parameters, ...own } = place;
  const design = { ...alone.design, ...own, nested: place.depth > 1 };
  const runs = alone.runs.map((run) => ({ ...run, design, learned: { SUM: 0.2 } }));
  return { ...alone, id: JSON.stringify(place), design, parameters, runs };
}

/** Two sizes at depth 1 and 2, from the usual start and from a larger one of each depth. */
const over = (starts: readonly (readonly number[])[]): Condition[] =>
  starts.flatMap((own, i) =>
    own.flatMap((embeddingInit) =>
      [1000, 4000].map((parameters) => at({ depth: i + 1, embeddingInit, parameters })),
    ),
  );

/** Names of arms and panels, as the table under the picture has them. */
function names(some: readonly Condition[]): { readonly panels: unknown[]; readonly arms: unknown[] } {
  const rows = startAndCompany(some).at(0)?.table?.rows ?? [];
  return {
    panels: [...new Set(rows.map(([panel]) => panel))],
    arms: [...new Set(rows.map(([, arm]) => arm))],
  };
}

describe('startAndCompany', () => {
  it('draws nothing where all runs start alike, or at one size', () => {
    expect(startAndCompany(over([[0.02], [0.02]]))).toEqual([]);
    expect(startAndCompany(over([[0.02, 0.5]]).filter(({ parameters }) => parameters === 1000))).toEqual([]);
  });

  it('names each start in the legend where the depths share them', () => {
    expect(names(over([[0.02, 0.5]]))).toEqual({
      panels: ['Depth 1, 8,000 steps'],
      arms: ['SUM alone, start 0.02', 'SUM alone, start 0.5'],
    });
    expect(names(over([[0.02, 0.5], [0.5]])).panels).toEqual([
      'Depth 1, 8,000 steps',
      'Depth 2, 8,000 steps',
    ]);
    expect(names(over([[0.02, 0.1, 0.5], [0.1]])).arms).toEqual([
      'SUM alone, start 0.02',
      'SUM alone, start 0.1',
      'SUM alone, start 0.5',
    ]);
  });

  it('has one larger start in the legend where every depth has its own, and names it in the panel', () => {
    const some = over([
      [0.02, 0.5],
      [0.02, 0.1],
    ]);
    expect(names(some)).toEqual({
      panels: ['Depth 1, 8,000 steps, larger start 0.5', 'Depth 2, 8,000 steps, larger start 0.1'],
      arms: ['SUM alone, start 0.02', 'SUM alone, larger start'],
    });
    const [picture] = startAndCompany(some);
    expect(compileWarnings(picture.spec)).toEqual([]);
    expect(picture.summary).toContain(
      'Depth 2, 8,000 steps, larger start 0.1: SUM alone, start 0.02: 0 of 3 at 1,000',
    );
  });
});
