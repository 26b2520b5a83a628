import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ParsedOptions,
  addCommonFlags,
  addRunFlags,
  flagFields,
  flagValue,
  runConfigOf,
  switchValue,
  wholeFlag,
} from '../../../src/cli/flags/flags.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { SETTINGS } from '../../../src/config/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-flags-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Options as the command line gives them. */
function parse(...words: string[]): ParsedOptions {
  const command = addRunFlags(addCommonFlags(new Command('train'))).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(words, { from: 'user' });
  return command.opts();
}

const configOf = (...words: string[]): ReturnType<typeof runConfigOf> => runConfigOf(parse(...words), {});

describe('runConfigOf', () => {
  it('gives the defaults when nothing is said', () => {
    expect(configOf()).toEqual(DEFAULT_RUN);
  });

  it('puts every flag in its place', () => {
    const words =
      '--tasks SUM+MAX --modulus 7 --depth 2 --operands 2..4 --nesting 0.25 --format direct --loss all ' +
      '--regime pairs --holdout-seed 5 --median-of-even upper --table-seed 3 --fixed-size 100 --d-model 24 ' +
      '--layers 3 --heads 2 --d-mlp 48 --activation relu --untied --no-bias --share-blocks --n-ctx 128 ' +
      '--steps 300 --batch 8 --evaluate-every 100 --stop budget --lr 1e-3 --warmup 7 --final-fraction 0.2 ' +
      '--beta1 0.8 --beta2 0.95 --eps 1e-7 --weight-decay 0.1 --clip 2 --seed 9 --window 60 --notation authors ' +
      '--unembedding-bias --residual-init plain --schedule exponential --digit-skew 1.5 --embedding-init 0.5 ' +
      '--position-init 0.1 --phases MAX:100,SUM+MAX:200 --phase-schedule re-warmed --phase-optimizer reset';
    expect(configOf(...words.split(' '))).toEqual({
      data: {
        tasks: ['MAX', 'SUM'],
        modulus: 7,
        depth: 2,
        operands: [2, 4],
        nesting: 0.25,
        format: 'direct',
        loss: 'all',
        regime: 'pairs',
        holdoutSeed: 5,
        medianOfEven: 'upper',
        tableSeed: 3,
        fixedSize: 100,
        window: 60,
        digitSkew: 1.5,
        notation: 'authors',
      },
      model: {
        dModel: 24,
        nLayers: 3,
        nHeads: 2,
        dMlp: 48,
        activation: 'relu',
        bias: false,
        qkvBias: false,
        tied: false,
        unembeddingBias: true,
        shareBlocks: true,
        residualInit: 'plain',
        embeddingInit: 0.5,
        positionInit: 0.1,
        nCtx: 128,
      },
      optimizer: {
        learningRate: 1e-3,
        beta1: 0.8,
        beta2: 0.95,
        eps: 1e-7,
        weightDecay: 0.1,
        clip: 2,
        warmupSteps: 7,
        schedule: 'exponential',
        finalFraction: 0.2,
      },
      training: {
        steps: 300,
        batchSize: 8,
        evaluateEvery: 100,
        stop: 'budget',
        phases: [
          { tasks: ['MAX'], steps: 100 },
          { tasks: ['MAX', 'SUM'], steps: 200 },
        ],
        phaseSchedule: 're-warmed',
        phaseOptimizer: 'reset',
      },
      seed: 9,
      vocabulary: ['MIN', 'MAX', 'MED', 'SUM', 'PROD', 'NADD'],
    });
    expect(configOf('--stop', 'solved').training.stop).toBe('solved');
    expect(configOf('--no-qkv-bias').model).toMatchObject({ bias: true, qkvBias: false });
    expect(configOf('--notation', 'standard')).toEqual(DEFAULT_RUN);
  });

  it('starts from what the runs of a preset share; flags win', () => {
    const config = configOf(
      '--preset',
      'authors',
      '--tasks',
      'SUM',
      '--d-model',
      '8',
      '--steps',
      '10',
      '--seed',
      '4',
    );
    expect(config).toMatchObject({
      data: { tasks: ['SUM'], notation: 'authors', window: 128, regime: 'triples', holdoutSeed: 4 },
      model: { dModel: 8, dMlp: 32, qkvBias: false, shareBlocks: true },
      training: { steps: 10 },
      seed: 4,
    });
    // tasks and seeds differ between the runs of the preset: the usual defaults
    expect(configOf('--preset', 'authors').data.tasks).toEqual(DEFAULT_RUN.data.tasks);
    expect(() => configOf('--preset', 'author')).toThrow(/^preset: found "author".* Did you mean authors\?$/);
  });

  it.each([
    ['--tasks', 'SUMM', '--tasks: found "SUMM", expected operations out of', 'Did you mean SUM?'],
    ['--modulus', '1', '--modulus: found 1, expected a whole number from 2 to 64.', ''],
    ['--steps', 'many', '--steps: found "many", expected a number, e.g. 3, 0.5 or 2e-3.', ''],
    ['--steps', '1.5', 'training.steps (--steps): found 1.5, expected a whole number from 1', ''],
    ['--lr', 'Infinity', '--lr: found "Infinity", expected a number', ''],
    ['--heads', '3', 'model.nHeads (--heads): found 3, expected a divisor of --d-model 16.', ''],
    ['--operands', '3..2x', '--operands: found "3..2x", expected fewest..most, e.g. 2..3.', ''],
    [
      '--regime',
      'pair',
      '--regime: found "pair", expected one of full, pairs, triples, ordered-triples.',
      'Did you mean pairs?',
    ],
  ])('refuses %s %s in one line', (flag, value, message, remedy) => {
    let text = '';
    try {
      configOf(flag, value);
    } catch (error) {
      text = String(error);
    }
    expect(text).toContain(message);
    expect(text).toContain(remedy);
    expect(text).not.toContain('\n');
    expect(text).toMatch(/^UserError/);
  });

  it('reads a configuration file under the flags, and names it in complaints', () => {
    const file = join(folder, 'run.json');
    writeFileSync(file, JSON.stringify({ data: { tasks: ['SUM'], modulus: 7 }, training: { steps: 10 } }));
    const config = configOf('--config', file, '--steps', '20');
    expect([config.data.tasks, config.data.modulus, config.training.steps]).toEqual([['SUM'], 7, 20]);

    writeFileSync(file, JSON.stringify({ training: { stepz: 10 } }));
    expect(() => configOf('--config', file)).toThrow(/run\.json: .*stepz.*steps/);
    writeFileSync(file, '\ufeff{}');
    expect(() => configOf('--config', file)).toThrow(/byte order mark/);
    expect(() => configOf('--config', join(folder, 'absent.json'))).toThrow(/--config: .*does not exist/);
  });
});

describe('flagValue', () => {
  it('reads SUMLENS_ variables, and lets the command line win', () => {
    const environment = {
      SUMLENS_D_MODEL: '32',
      SUMLENS_STEPS: '50',
      SUMLENS_NO_BIAS: '1',
      SUMLENS_UNTIED: '0',
    };
    const fields = flagFields(parse('--steps', '60'), environment);
    expect(fields).toEqual({ training: { steps: 60 }, model: { dModel: 32, bias: false, tied: true } });
  });

  it('names the variable when its value is not acceptable', () => {
    expect(() => flagFields(parse(), { SUMLENS_STEPS: 'x' })).toThrow(/^SUMLENS_STEPS: found "x"/);
    expect(() => flagFields(parse(), { SUMLENS_UNTIED: 'maybe' })).toThrow(/^SUMLENS_UNTIED: found "maybe"/);
    expect(() => wholeFlag(parse(), 'threads', [1, 256], { SUMLENS_THREADS: '0' })).toThrow(
      'SUMLENS_THREADS: found 0, expected a whole number from 1 to 256.',
    );
  });

  it.each(['reports', 'checkpoints', 'out', 'config', 'figures', 'csv', 'parquet'])(
    'refuses an empty path for --%s, which would be the folder it runs in',
    (flag) => {
      expect(() => flagValue({ [flag]: '' }, flag, {})).toThrow(`--${flag}: found "", expected a path.`);
    },
  );

  it('takes an empty variable for none', () => {
    expect(flagValue(parse(), 'seed', { SUMLENS_SEED: '' })).toBeUndefined();
    expect(switchValue(parse(), 'json', {})).toBe(false);
    expect(switchValue(parse('--json'), 'json', {})).toBe(true);
  });
});

describe('help', () => {
  /** Text of `train --help`, with what else is said. */
  function help(...words: string[]): string {
    let text = '';
    const command = addRunFlags(addCommonFlags(new Command('train'))).exitOverride();
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 400 });
    expect(() => command.parse(words, { from: 'user' })).toThrow('(outputHelp)');
    return text;
  }

  it('says of every setting what it is, its default and what is allowed, and no reason', () => {
    const text = help('--help');
    expect(text).toMatch(
      /--tasks <A\+B\+C> +operations, joined with \+ \(default MAX\+MED\+SUM; operations out of MAX, MIN, /,
    );
    expect(text).toMatch(/--lr <x> +peak learning rate \(default 0\.002; a number above 0 up to 1000000\)/);
    expect(text).toMatch(/--untied +separate unembedding \(default no\)/);
    expect(text).toMatch(/--d-mlp <n> +feed-forward width \(default 4 d-model; /);
    expect(text).not.toContain('stayed stable');
    for (const { flag } of SETTINGS) if (flag !== undefined) expect(text).toContain(`--${flag}`);
  });

  it('adds the reasons with --why, on either side of --help', () => {
    const reason = 'peak learning rate (default 0.002; a number above 0 up to 1000000); the highest of';
    expect(help('--why', '--help')).toContain(reason);
    expect(help('--help', '--why')).toContain(reason);
  });
});
