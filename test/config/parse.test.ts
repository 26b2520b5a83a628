import { describe, expect, it } from 'vitest';
import { ADDED_LATER, DEFAULT_RUN, parseRunConfig, resolveRunConfig } from '../../src/config/parse.js';
import { SETTINGS } from '../../src/config/settings.js';
import { UserError } from '../../src/errors.js';
import { canonicalJson, parseJsonStrict } from '../../src/io/json.js';

/** As if read from a file: the types are not to be trusted. */
const resolveUnknown = (given: unknown): unknown =>
  resolveRunConfig(given as Parameters<typeof resolveRunConfig>[0]);

describe('resolveRunConfig', () => {
  it('gives the defaults for nothing, and derives dMlp and the hold-out seed', () => {
    expect(resolveRunConfig({})).toEqual(DEFAULT_RUN);
    const config = resolveRunConfig({ model: { dModel: 24 }, seed: 5 });
    expect(config.model.dMlp).toBe(96);
    expect(config.data.holdoutSeed).toBe(5);
    const explicit = resolveRunConfig({ model: { dModel: 24, dMlp: 8 }, seed: 5, data: { holdoutSeed: 1 } });
    expect(explicit.model.dMlp).toBe(8);
    expect(explicit.data.holdoutSeed).toBe(1);
  });

  it('treats undefined fields as not given', () => {
    expect(resolveRunConfig({ model: { dModel: undefined }, data: undefined, seed: undefined })).toEqual(
      DEFAULT_RUN,
    );
  });

  it('puts tasks into table order, so that SUM+MAX is MAX+SUM', () => {
    expect(resolveRunConfig({ data: { tasks: ['SUM', 'MAX'] } }).data.tasks).toEqual(['MAX', 'SUM']);
  });

  it('does not change the defaults when a result is made', () => {
    const before = canonicalJson(DEFAULT_RUN);
    resolveRunConfig({ data: { tasks: ['SUM'] }, model: { dModel: 32 }, seed: 3 });
    expect(canonicalJson(DEFAULT_RUN)).toBe(before);
  });

  it('accepts the ends of every range', () => {
    for (const { path, rule } of SETTINGS) {
      if (rule.kind !== 'whole' && rule.kind !== 'number') continue;
      // what data allow of each other is tested in test/listops
      if (path.startsWith('data.')) continue;
      const [section, key] = path.split('.');
      const high = path === 'training.batchSize' ? 65536 : rule.high;
      const low = 'above' in rule ? 1e-9 : rule.low;
      for (const value of [low, 'below' in rule ? 0.999 : high]) {
        if (path === 'model.nHeads' || path === 'model.nCtx' || path === 'model.dModel') continue;
        const given = key === undefined ? { [section]: value } : { [section]: { [key]: value } };
        expect(() => resolveUnknown(given), `${path} = ${value}`).not.toThrow();
      }
    }
  });

  // the list of bad configurations in one table: what is given, what the message must say
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{ model: { dModl: 16 } }, /^model\.dModl: unknown field, .*Did you mean model\.dModel\?$/],
    [{ dModel: 16 }, /^dModel: unknown field, .*Did you mean model\.dModel\?$/],
    [{ sed: 1 }, /^sed: unknown field, .*Did you mean seed\?$/],
    [
      { model: { unembeddingBias: true } },
      /--unembedding-bias\): found true, expected false .* Add --untied\.$/,
    ],
    [
      { model: { bias: false, qkvBias: true } },
      /--no-qkv-bias\): found true, expected false with --no-bias\.$/,
    ],
    [{ model: { residualInit: 'plian' } }, /--residual-init\): found "plian", .*Did you mean plain\?$/],
    [
      { optimizer: { schedule: 'exponential', finalFraction: 0 } },
      /--final-fraction\): found 0, expected a number above 0 with --schedule exponential\.$/,
    ],
    [{ data: { fixedSize: 50, window: 65 } }, /--n-ctx\): found 64, expected at least --window 65\.$/],
    [{ data: { window: 1, fixedSize: 50 } }, /^--window: found 1, expected a whole number from 2 /],
    [{ data: { notation: 'author' } }, /^--notation: found "author", .*Did you mean authors\?$/],
    [
      { data: { notation: 'authors', tasks: ['FIRST'] } },
      /^--tasks: found "FIRST", expected operations out of MIN, /,
    ],
    [
      { data: { notation: 'authors' }, vocabulary: ['SUM', 'MED', 'MAX'] },
      /^vocabulary: .* with --notation authors\.$/,
    ],
    [{ data: { regime: 'ordered-triples', modulus: 2 } }, /^--modulus: found 2, expected at least 3 /],
    [{ optimizer: { lr: 1 } }, /^optimizer\.lr: unknown field, expected one of learningRate, /],
    [{ training: { Steps: 5 } }, /Did you mean training\.steps\?$/],
    [{ 'a\nb': 1 }, /^a\\u000ab: unknown field/],
    [{ constructor: 1 }, /^constructor: unknown field/],
    [JSON.parse('{"__proto__": {"dModel": 2}}'), /^__proto__: unknown field/],
    [JSON.parse('{"model": {"__proto__": {"dModel": 2}}}'), /^model\.__proto__: unknown field/],
    [null, /^the configuration: found null, expected an object of named fields\.$/],
    [[], /^the configuration: found \[\], expected an object/],
    ['x', /^the configuration: found "x", expected an object/],
    [{ model: null }, /^model: found null, expected an object of named fields\.$/],
    [{ model: [] }, /^model: found \[\], expected an object/],
    [{ data: 'SUM' }, /^data: found "SUM", expected an object/],
    [
      { model: { dModel: '16' } },
      /^model\.dModel \(--d-model\): found "16", expected a whole number from 1 to 1024\.$/,
    ],
    [{ model: { dModel: 0 } }, /^model\.dModel \(--d-model\): found 0, expected a whole number/],
    [{ model: { dModel: -16 } }, /found -16, expected a whole number/],
    [{ model: { dModel: 16.5 } }, /found 16\.5, expected a whole number/],
    [{ model: { dModel: NaN } }, /found "NaN", expected a whole number/],
    [{ model: { dModel: Infinity } }, /found "Infinity", expected a whole number/],
    [{ model: { dModel: 1e308 } }, /found 1e\+308, expected a whole number/],
    [{ model: { dModel: null } }, /found null, expected a whole number/],
    [{ model: { dModel: 1025 } }, /found 1025, expected a whole number from 1 to 1024/],
    [{ model: { dModel: [16] } }, /found \[16\], expected a whole number/],
    [{ model: { nLayers: 0 } }, /^model\.nLayers \(--layers\): found 0/],
    [{ model: { nLayers: 33 } }, /from 1 to 32/],
    [
      { model: { nHeads: 3 } },
      /^model\.nHeads \(--heads\): found 3, expected a divisor of --d-model 16\. Change --heads/,
    ],
    [{ model: { nHeads: 32 } }, /expected a divisor of --d-model 16/],
    [{ model: { dMlp: 0 } }, /^model\.dMlp \(--d-mlp\): found 0/],
    [
      { model: { activation: 'gelo' } },
      /^model\.activation \(--activation\): found "gelo", expected gelu or relu\. Did you mean gelu\?$/,
    ],
    [{ model: { activation: 'toString' } }, /expected gelu or relu\.$/],
    [{ model: { bias: 'true' } }, /^model\.bias \(--no-bias\): found "true", expected true or false\.$/],
    [{ model: { tied: 1 } }, /^model\.tied \(--untied\): found 1, expected true or false/],
    [{ model: { shareBlocks: null } }, /^model\.shareBlocks \(--share-blocks\): found null/],
    [
      { model: { nCtx: 9 } },
      /^model\.nCtx \(--n-ctx\): found 9, expected at least 10, the longest sequence of --depth 1 with --operands 2\.\.3\. Raise/,
    ],
    [
      { data: { depth: 3 } },
      /^model\.nCtx \(--n-ctx\): found 64, expected at least \d+, the longest sequence/,
    ],
    [{ model: { nCtx: 5000 } }, /from 1 to 4096/],
    [
      { optimizer: { learningRate: 0 } },
      /^optimizer\.learningRate \(--lr\): found 0, expected a number above 0 up to 1000000\.$/,
    ],
    [{ optimizer: { learningRate: -1 } }, /--lr\): found -1/],
    [{ optimizer: { learningRate: NaN } }, /--lr\): found "NaN"/],
    [{ optimizer: { learningRate: 1e308 } }, /--lr\): found 1e\+308/],
    [{ optimizer: { learningRate: '1e-3' } }, /--lr\): found "1e-3"/],
    [
      { optimizer: { beta1: 1 } },
      /^optimizer\.beta1 \(--beta1\): found 1, expected a number from 0 and below 1\.$/,
    ],
    [{ optimizer: { beta2: -0.1 } }, /--beta2\): found -0\.1/],
    [{ optimizer: { eps: 0 } }, /--eps\): found 0/],
    [
      { optimizer: { weightDecay: -1 } },
      /^optimizer\.weightDecay \(--weight-decay\): found -1, expected a number from 0 to 10\.$/,
    ],
    [{ optimizer: { clip: 0 } }, /--clip\): found 0/],
    [{ optimizer: { clip: Infinity } }, /--clip\): found "Infinity"/],
    [{ optimizer: { warmupSteps: -1 } }, /--warmup\): found -1/],
    [{ optimizer: { finalFraction: 1.01 } }, /--final-fraction\): found 1\.01/],
    [{ training: { steps: 0 } }, /--steps\): found 0, expected a whole number from 1 to 100000000\.$/],
    [{ training: { steps: 1.5 } }, /--steps\): found 1\.5/],
    [{ training: { batchSize: 0 } }, /--batch\): found 0/],
    [
      { training: { batchSize: 65536 }, data: { depth: 2 } },
      /--batch\): found 65536, expected at most 34379 examples of up to 61 tokens/,
    ],
    [{ training: { evaluateEvery: 0 } }, /--evaluate-every\): found 0/],
    [{ training: { stop: 'hopeless' } }, /--stop\): found "hopeless", expected budget or solved/],
    [{ seed: -1 }, /^seed \(--seed\): found -1|^--seed: found -1/],
    [{ seed: 2 ** 53 }, /expected a whole number from 0 to 2\^53 - 1/],
    [{ seed: '1' }, /found "1", expected a whole number/],
    [{ data: { tasks: [] } }, /--tasks/],
    [
      { data: { tasks: 'MAX+SUM' } },
      /^data\.tasks \(--tasks\): found "MAX\+SUM", expected a list of operation names/,
    ],
    [{ data: { tasks: ['MAX', 'SOM'] } }, /--tasks: found "SOM".*Did you mean SUM\?$/],
    [{ data: { tasks: ['SUM', 'SUM'] } }, /each operation once/],
    [{ data: { tasks: [1] } }, /--tasks/],
    [{ data: { modulus: 1 } }, /--modulus: found 1, expected a whole number from 2 to 64\.$/],
    [{ data: { modulus: 65 } }, /--modulus: found 65/],
    [{ data: { modulus: '10' } }, /--modulus: found "10"/],
    [{ data: { modulus: NaN } }, /--modulus: found "NaN"/],
    [{ data: { depth: 0 } }, /--depth: found 0/],
    [{ data: { depth: 9 } }, /--depth: found 9/],
    [{ data: { operands: [3, 2] } }, /--operands: found "3\.\.2".*Write 2\.\.3/],
    [{ data: { operands: [1, 2] } }, /--operands/],
    [{ data: { operands: [2] } }, /^data\.operands \(--operands\): found \[2\], expected two whole numbers/],
    [{ data: { operands: '2..3' } }, /--operands/],
    [{ data: { operands: [2, 'x'] } }, /--operands/],
    [{ data: { nesting: 1.1 } }, /--nesting: found 1\.1, expected a number from 0 to 1\.$/],
    [{ data: { nesting: NaN } }, /--nesting/],
    [{ data: { format: 'step' } }, /--format: found "step".*Did you mean steps\?$/],
    [{ data: { loss: 'none' } }, /--loss: found "none"/],
    [{ data: { regime: 'pair' } }, /--regime: found "pair".*Did you mean pairs\?$/],
    [{ data: { regime: 'triples', operands: [2, 2] } }, /--regime/],
    [{ data: { medianOfEven: 'middle' } }, /--median-of-even/],
    [{ data: { holdoutSeed: -1 } }, /--holdout-seed: found -1/],
    [{ data: { tableSeed: 0.5 } }, /--table-seed: found 0\.5/],
    [{ data: { fixedSize: 0 } }, /--fixed-size: found 0/],
    [{ data: { fixdSize: 10 } }, /^data\.fixdSize: unknown field, .*Did you mean data\.fixedSize\?$/],
    [{ vocabulary: [] }, /^vocabulary: found \[\], expected a list of distinct operation names\.$/],
    [{ vocabulary: ['SUM', 'SUM'] }, /^vocabulary/],
    [
      { vocabulary: ['MAX'], data: { tasks: ['SUM'] } },
      /^vocabulary: found "MAX", expected MAX, MIN, .*: no token for SUM of data\.tasks\. Leave the field out\.$/,
    ],
    // shorter than the table: tokens of SUM and of MAX would be those of other operations
    [
      { vocabulary: ['MAX', 'MED', 'SUM'] },
      /^vocabulary: found "MAX,MED,SUM", expected MAX, MIN, MED, SUM, .*: MED would have the token of another operation\./,
    ],
    [{ vocabulary: ['<img onerror>'] }, /^vocabulary/],
  ];
  it.each(bad.map(([given, message]) => [JSON.stringify(given) ?? 'nothing', given, message] as const))(
    'refuses %s in one line',
    (_, given, message) => {
      let error: unknown;
      try {
        resolveUnknown(given);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(UserError);
      const text = (error as UserError).message;
      expect(text).toMatch(message);
      expect(text).not.toContain('\n');
      expect(text.length).toBeLessThan(600);
    },
  );

  it('cuts a huge value in its message and puts the file first', () => {
    const resolve = (): unknown =>
      resolveRunConfig({ model: { activation: 'x'.repeat(1e6) as 'gelu' } }, 'grid.json');
    expect(resolve).toThrow(/^grid\.json: model\.activation/);
    expect(resolve).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/.{400}/) as unknown }),
    );
  });
});

describe('parseRunConfig', () => {
  const stored = (): Record<string, Record<string, unknown>> =>
    parseJsonStrict(canonicalJson(resolveRunConfig({ data: { fixedSize: 100 } })), { where: 'x' }) as Record<
      string,
      Record<string, unknown>
    >;

  it('gives back what was stored', () => {
    expect(parseRunConfig(stored(), 'config.json')).toEqual(resolveRunConfig({ data: { fixedSize: 100 } }));
  });

  it('refuses a stored configuration in which any field is missing', () => {
    for (const section of ['data', 'model', 'optimizer', 'training']) {
      for (const key of Object.keys(stored()[section])) {
        if (key === 'fixedSize') continue;
        const config = stored();
        Reflect.deleteProperty(config[section], key);
        if (ADDED_LATER.includes(`${section}.${key}`)) {
          expect(parseRunConfig(config, 'config.json')).toEqual(stored());
          continue;
        }
        expect(() => parseRunConfig(config, 'config.json')).toThrow(
          `config.json: ${section}.${key}: found nothing, expected a value: a stored configuration holds every field.`,
        );
      }
    }
    const config = stored();
    Reflect.deleteProperty(config, 'seed');
    expect(() => parseRunConfig(config, 'config.json')).toThrow('config.json: seed: found nothing');
  });
});
