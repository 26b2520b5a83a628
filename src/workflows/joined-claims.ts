/**
 * Claims whose parts are measured by different modules: C3 has order and circular structure from one module and parity from
 * another. The whole is decided here, once every module has its findings; the modules know nothing of each other.
 */
import { combineC3, type VerdictDecision } from '../analysis/verdict.js';
import type { Finding, ModuleReport } from '../report/schema.js';

type Modules = Readonly<Record<string, ModuleReport>>;

/** The same modules with every finding on C3 as a whole decided from all parts that any of them found. */
export function joinClaimParts(modules: Modules): Record<string, ModuleReport> {
  const all = Object.values(modules).flatMap(({ findings }) => findings);
  return Object.fromEntries(
    Object.entries(modules).map(([name, module]) => [
      name,
      {
        ...module,
        findings: module.findings.map((finding) => (finding.claim === 'C3' ? joinC3(finding, all) : finding)),
      },
    ]),
  );
}

function joinC3(whole: Finding, all: readonly Finding[]): Finding {
  // several comparisons carry a number at the end of the id, in the same order in every module
  const suffix = /-\d+$/.exec(whole.id)?.[0] ?? '';
  const place = placeOf(whole.statement);
  const part = (letter: 'a' | 'b' | 'c'): Finding | undefined =>
    all.find(
      ({ claim, id, statement }) =>
        claim === `C3${letter}` && id === `c3${letter}${suffix}` && placeOf(statement) === place,
    );
  const b = part('b');
  if (b === undefined) return whole;
  const parts = { a: decisionOf(part('a')), b: decisionOf(b), c: decisionOf(part('c')) };
  const { verdict, reason, notes } = combineC3(parts);
  return {
    ...whole,
    statement: `Embeddings of SUM-only models lack structure that mixed ones have${place}: order (a), parity (b) and circular structure (c).`,
    verdict,
    reason: [reason, ...notes].join('; '),
  };
}

function decisionOf(finding: Finding | undefined): VerdictDecision | undefined {
  if (finding?.verdict === undefined) return undefined;
  return { verdict: finding.verdict, reason: finding.reason ?? '', notes: [] };
}

/** ` (pairs, d=16)`: where a comparison was made, as its statement says. */
function placeOf(statement: string): string {
  return / \([^()]*\)/.exec(statement)?.[0] ?? '';
}
