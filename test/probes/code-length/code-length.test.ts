/** A model set by hand that holds results one by one, and one before training: neither has parity as such. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeLength } from '../../../probes/code-length/index.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import type { Engine } from '../../../src/engine/engine.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { observe } from '../../../src/evidence/statistic.js';
import { FIRST_NUMBER } from '../../../src/listops/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable, parameterView } from '../../../src/model/parameters.js';
import { Rng } from '../../../src/tensor/rng.js';
import { type Measurable, subjectFor, testEngine } from '../../helpers/measure-ablation.js';
import { PLANTED, plantedPairTable } from '../../helpers/planted-models.js';

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

async function measureOn({ config, gpt, parameters }: Measurable) {
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const subject = {
    subject: subjectFor(config),
    config,
    parameters,
    untrainedParameters: initialParameters(gpt, config.seed),
  };
  const measured = await codeLength.measure(
    subject,
    { prompts: 300, labellings: 8 },
    {
      engine,
      model,
      rng: (i = 0) => new Rng(config.seed, 'probe:code-length', i),
      progress: () => undefined,
    },
  );
  model.dispose();
  if (measured === null) throw new Error('nothing was measured');
  return { measured, subject };
}

/** The pair table, whose neurons also write parity of the result, strongly, to the last entry of the output. */
function withParity(): Measurable {
  const model = plantedPairTable();
  const out = parameterView(parameterTable(model.gpt), model.parameters, 'transformer.h.0.mlp.c_proj.weight');
  const { dModel: width, dMlp } = model.gpt;
  const first = width - PLANTED.V + FIRST_NUMBER;
  for (let neuron = 0; neuron < dMlp; neuron++) {
    for (let result = 0; result < PLANTED.MODULUS; result += 2)
      out[(width - 1) * dMlp + neuron] += 4 * out[(first + result) * dMlp + neuron];
  }
  return model;
}

it('results one by one: parity is no shorter than random labels; written beside them it is shorter', async () => {
  const { measured } = await measureOn(plantedPairTable());
  const { measured: planted } = await measureOn(withParity());
  const saved = ({ trained }: typeof measured, stage: number): number =>
    trained[stage].random - trained[stage].parity;
  expect(measured.stages).toEqual(['embedding', 'attention 0', 'feed-forward 0']);
  // all labels of results are read equally well there, parity (0.87 bits) no better than random ones (0.77)
  expect(measured.trained[2].parity).toBeLessThan(0.95);
  expect(saved(measured, 2)).toBeLessThan(0.05);
  // 0.48 against 0.95
  expect(saved(planted, 2)).toBeGreaterThan(0.3);
  // before the feed-forward layer both are the same model
  expect(planted.trained[1]).toEqual(measured.trained[1]);
  // the arrow alone says nothing of what comes
  expect(measured.trained[0].parity).toBeGreaterThan(0.95);
  expect(measured.notConverged).toBe(0);
});

it('before training nothing is saved; rows and the picture', async () => {
  const gpt = gptConfigOf(DEFAULT_RUN);
  const { measured, subject } = await measureOn({
    config: DEFAULT_RUN,
    gpt,
    parameters: initialParameters(gpt, 5),
  });
  for (const { parity } of measured.trained) expect(parity).toBeGreaterThan(0.95);
  const table = observe('code-length', codeLength.statistics, subject.subject.id, measured);
  expect(table).toHaveLength(1 + 2 * 5);
  const infos = new Map(codeLength.statistics.map(({ of: _, ...info }) => [`code-length/${info.id}`, info]));
  const evidence = evidenceOf([subject.subject], table, infos);
  const [picture] = codeLength.combine?.({ measured: [], last: [], options: {}, evidence }).pictures ?? [];
  expect(picture.table.rows).toHaveLength(10);
});
