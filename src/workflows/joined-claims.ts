/**
 * Verdicts that need more than one finding. C3 has order and circular structure from one module and parity from another: the
 * whole is decided here, once every module has its findings; the modules know nothing of each other. Where the same
 * comparison was made at the budgets B and 4 B, the verdict is the one at 4 B.
 */
import { isLongerBudget, labelledBudget, type LabelledBudget } from '../../probes/claim-parts.js';
import { combineBudgets, combineC3, type VerdictDecision } from '../analysis/verdict.js';
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
  const { verdict, reason } = combineC3(parts);
  // what the module said of the regime and of what is held out holds for the whole too
  const notes = (whole.reason ?? '').split('; ').filter((note) => /\bregime\b/.test(note));
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

/**
 * The same modules with the verdict at 4 B wherever the same comparison was made at B too: it says what the verdict at B was,
 * where that differs, and the finding at B stays as numbers without a verdict.
 */
export function joinBudgets(modules: Modules): Record<string, ModuleReport> {
  return Object.fromEntries(
    Object.entries(modules).map(([name, module]) => [
      name,
      { ...module, findings: module.findings.map((finding) => withBudgets(finding, module.findings)) },
    ]),
  );
}

function withBudgets(finding: Finding, all: readonly Finding[]): Finding {
  const { claim, verdict: _verdict, reason, ...rest } = finding;
  const own = decisionOf(finding);
  if (claim === undefined || own === undefined) return finding;
  const budget = budgetOf(finding);
  const others = all.filter((one) => one.claim === claim && one.verdict !== undefined);
  const longer = others.find((one) => isLongerBudget(budget, budgetOf(one)));
  if (longer !== undefined) {
    const note = `budget B: ${claim} is decided at ${budgetOf(longer)?.steps ?? 0} steps`;
    return { ...rest, reason: [...(reason === undefined ? [] : [reason]), note].join('; ') };
  }
  const atB = others.find((one) => isLongerBudget(budgetOf(one), budget));
  const before = atB === undefined ? undefined : decisionOf(atB);
  if (before === undefined) return finding;
  const { verdict, reason: text, notes } = combineBudgets(before, own);
  return { ...finding, verdict, reason: [text, ...notes].join('; ') };
}

function budgetOf({ statement }: Finding): LabelledBudget | undefined {
  return labelledBudget(placeOf(statement));
}
