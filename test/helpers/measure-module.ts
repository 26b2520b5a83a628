/** Runs a module on given weights, outside any run directory; what it measured, and its rows and pictures as reports have them. */
import type { Probe, ProbeSubject } from '../../probes/contract.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import type { Finding } from '../../src/evidence/finding.js';
import { infoOf, type Observation, observe } from '../../src/evidence/statistic.js';
import type { Scope } from '../../src/evidence/scope.js';
import { isWithin, SCOPE_KEYS } from '../../src/evidence/scope.js';
import type { Engine } from '../../src/engine/engine.js';
import { initialParameters } from '../../src/model/init.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { resolveOptions } from '../../src/workflows/probing/probe-plan.js';
import { type Measurable, subjectFor } from './measure-ablation.js';
import { outOfRange } from './rows.js';

export interface MeasuredModule<M> {
  readonly measurement: M;
  readonly observations: readonly Observation[];
  readonly pictures: readonly ChartSpec[];
  /** of `combine` */
  readonly findings: readonly Finding[];
  /** the one row of a statistic whose scope is this one and no more */
  readonly row: (statistic: string, scope: Scope) => Observation;
  readonly rows: (statistic: string, within?: Scope) => Observation[];
}

export async function measureModule<M>(
  engine: Engine,
  probe: Probe<M>,
  { config, gpt, parameters }: Measurable,
  options: Readonly<Record<string, number>> = {},
): Promise<MeasuredModule<M>> {
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const subject: ProbeSubject = {
    subject: subjectFor(config),
    config,
    parameters,
    untrainedParameters: initialParameters(gpt, config.seed),
  };
  const resolved = resolveOptions(probe as unknown as Probe, options);
  const measurement = await probe.measure(subject, resolved, {
    engine,
    model,
    rng: (index = 0) => new Rng(config.seed, `probe:${probe.name}`, index),
    progress: () => undefined,
  });
  model.dispose();
  // as it comes out of a file
  const kept = JSON.parse(JSON.stringify(measurement)) as M;
  const observations = observe(probe.name, probe.statistics, subject.subject.id, kept);
  const infos = probe.statistics.map((one) => [`${probe.name}/${one.id}`, infoOf(one)] as const);
  const wrong = probe.statistics.flatMap((one) =>
    observations
      .filter(({ statistic }) => statistic === `${probe.name}/${one.id}`)
      .flatMap((row) => outOfRange(one, row) ?? []),
  );
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  const evidence = evidenceOf([subject.subject], observations, new Map(infos));
  const measured = [{ subject: subject.subject, config, measurement: kept }];
  const combined = probe.combine?.({ measured, last: measured, options: resolved, evidence });
  const rows = (statistic: string, within: Scope = {}): Observation[] =>
    observations.filter(
      (one) => one.statistic === `${probe.name}/${statistic}` && isWithin(one.scope, within),
    );
  return {
    measurement: kept,
    observations,
    pictures: combined?.pictures ?? [],
    findings: combined?.findings ?? [],
    rows,
    row(statistic, scope) {
      const found = rows(statistic, scope).filter((one) =>
        SCOPE_KEYS.every((key) => one.scope[key] === scope[key]),
      );
      if (found.length !== 1) {
        throw new Error(`${statistic} ${JSON.stringify(scope)}: found ${found.length} rows, expected 1`);
      }
      return found[0];
    },
  };
}
