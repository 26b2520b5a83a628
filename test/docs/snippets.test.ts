/**
 * Every block of code and every command in the documentation: run as written, or in a shorter form that a table here states;
 * type-checked; or listed with the reason why it is neither. Commands of README.md are run by test/e2e/readme.test.ts.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { countRuns } from '../../src/workflows/sweep/plan/expand.js';
import { parsePlan } from '../../src/workflows/sweep/plan/plan.js';
import { CLI } from '../helpers/cli.js';
import { TINY_PLAN } from '../workflows/sweep/tiny.js';

const ROOT = packageRoot();
const FILES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'bench/README.md',
  'test/README.md',
  'checkpoints/README.md',
  'reports/README.md',
];
const TEXTS = new Map(FILES.map((name) => [name, readFileSync(join(ROOT, name), 'utf8')]));

interface Block {
  readonly file: string;
  /** of a fence; none: an indented block */
  readonly language: string | undefined;
  readonly lines: readonly string[];
}

/** Fenced blocks, and runs of lines indented by four blanks that no list item precedes. */
function blocksOf(file: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string | undefined; lines: string[] } | undefined;
  const close = (): void => {
    if (open !== undefined) blocks.push({ file, ...open });
    open = undefined;
  };
  for (const line of text.split('\n')) {
    const fence = /^```(\w*)$/.exec(line);
    if (open?.language !== undefined) {
      if (fence === null) open.lines.push(line);
      else close();
    } else if (fence !== null) {
      close();
      open = { language: fence[1], lines: [] };
    } else if (/^ {4}\S/.test(line) || (open !== undefined && /^ {5,}\S/.test(line))) {
      open ??= { language: undefined, lines: [] };
      open.lines.push(line.slice(4));
    } else close();
  }
  close();
  return blocks;
}

const BLOCKS = [...TEXTS].flatMap(([file, text]) => blocksOf(file, text));
const isCommand = (line: string): boolean => /^(npx|npm|sumlens|node|redis-server|sbatch) /.test(line);

/** Indented blocks that are no code: by their file and the words they begin with. */
const NO_CODE: Readonly<Record<string, readonly string[]>> = {
  'a folder and its files': [
    'docs/files.md: checkpoints/<run>/',
    'docs/files.md: reports/<name>/report.json',
    'docs/files.md: <folder>/<chart>.svg',
    'checkpoints/README.md: config.json',
  ],
  'the order of the folders of src': ['CONTRIBUTING.md: cli >'],
  'counts of multiplications': ['bench/README.md: rows', 'bench/README.md: all blocks'],
};
/** Formulas of mathematics all stand in this file. */
const FORMULAS = 'docs/methods.md';

/** Declarations, made from those of the build; test/docs/api.test.ts. */
const DECLARATIONS = 'docs/api.md';

const named = ({ file, lines }: Block): string => `${file}: ${lines[0]}`;

/** Commands of the other files: indented lines, and words in backquotes. A comment begins with #, or after five blanks. */
const COMMANDS = [
  ...new Set(
    [...TEXTS]
      .filter(([file]) => file !== 'README.md' && file !== DECLARATIONS)
      .flatMap(([file, text]) => [
        ...BLOCKS.filter((block) => block.file === file && block.language === undefined).flatMap(
          ({ lines }) => lines,
        ),
        ...Array.from(text.matchAll(/`([^`\n]+)`/g), ([, words]) => words),
      ])
      .filter(isCommand)
      .map((line) => line.replace(/( +#| {5,}).*$/, '').trim()),
  ),
];

/** What is run in place of a command: smaller, or with names in place of `<...>`. */
const SHORTER: Readonly<Record<string, string>> = {
  'npx sumlens sweep thresholds --dry-run': 'npx sumlens sweep plan.yaml --dry-run',
  'npx sumlens sweep thresholds --size small': 'npx sumlens sweep sized.yaml --size small',
  'npx sumlens sweep paper --size paper --name mine --dry-run':
    'npx sumlens sweep sized.yaml --size paper --name mine --dry-run',
  'npx sumlens sweep paper --size paper --name mine --keep final':
    'npx sumlens sweep sized.yaml --size paper --name mine --keep final',
  'npx sumlens sweep plan.yaml --stop-after 30 --keep none':
    'npx sumlens sweep plan.yaml --stop-after 30 --keep none --name again',
  'sumlens sweep <plan>': 'npx sumlens sweep plan.yaml --name once-more',
  'sumlens export <checkpoint> --to nanogpt | hf-gpt2 | transformer-lens [--out folder]':
    'for to in nanogpt hf-gpt2 transformer-lens; do npx sumlens export $RUN --to $to --out $to || exit; done',
  'sumlens import <folder or file> [--out checkpoints/<name>]':
    'npx sumlens import hf-gpt2 --out checkpoints/back',
  'sumlens import model.safetensors --vocabulary meta.json --tasks SUM --heads 4 --steps 5000 --out checkpoints/elsewhere':
    'npx sumlens import model.safetensors --vocabulary meta.json --tasks SUM --heads 4 --steps 5000 --out checkpoints/elsewhere',
  'sumlens report <report.json> --csv observations.csv':
    'npx sumlens report $ROOT/reports/example/report.json --csv observations.csv --out drawn',
  'sumlens verdicts observations.csv': 'npx sumlens verdicts observations.csv',
  'npx sumlens verdicts reports/paper/results.jsonl':
    'npx sumlens verdicts $ROOT/reports/paper/results.jsonl',
  'sumlens train --help': 'npx sumlens train --help',
  'sumlens train':
    'npx sumlens train --tasks SUM --modulus 4 --d-model 8 --n-ctx 16 --steps 2 --batch 8 --quiet',
  'sumlens verify checkpoints reports': 'npx sumlens verify checkpoints reports',
  'sumlens verify published --verbose': 'npx sumlens verify checkpoints --verbose',
  'sumlens repair checkpoints/<run> --yes': 'npx sumlens repair checkpoints/$RUN --yes',
  'sumlens report <report> --playground <checkpoint>':
    'npx sumlens report $ROOT/reports/example --playground checkpoints/$RUN --out played',
  'sumlens site <report...>': 'npx sumlens site $ROOT/reports/example --out site',
  'npx sumlens probe parity-probe <runs> --option codeStages=100':
    'npx sumlens probe parity-probe checkpoints/$RUN --option codeStages=100 --name bits',
  'sumlens report <report.json> --figures <folder>':
    'npx sumlens report $ROOT/reports/example/report.json --figures figures --format svg,csv',
  'npx sumlens inspect checkpoints/reference/sum-pairs-d16-s1-45202e910ba4 "(SUM 7 3 6)" --patch "(SUM 7 4 6)" --ablate L0.attn':
    'npx sumlens inspect checkpoints/$RUN "(SUM 7 3 6)" --patch "(SUM 7 4 6)" --ablate L0.attn',
  'npx sumlens sweep plan.yaml --slurm sweep.sbatch --shards 32':
    'npx sumlens sweep plan.yaml --slurm sweep.sbatch --shards 2',
  'npx sumlens sweep plan.yaml --report-only': 'npx sumlens sweep plan.yaml --report-only --name again',
  'npx sumlens sweep paper --size paper --name paper --report-only':
    'npx sumlens sweep sized.yaml --size paper --name mine --report-only',
  // docs/tutorial.md
  'npx sumlens train --tasks SUM --operands 2..2 --seed 1 --d-model 16 --steps 4000':
    'npx sumlens train --tasks SUM --operands 2..2 --seed 1 --d-model 16 --steps 16',
  'npx sumlens train --tasks MAX+SUM --operands 2..2 --seed 1 --d-model 16 --steps 4000':
    'npx sumlens train --tasks MAX+SUM --operands 2..2 --seed 1 --d-model 16 --steps 16',
  'npx sumlens sample checkpoints/max-sum-full-d16-*': 'npx sumlens sample checkpoints/max-sum-full-d16-*',
  'npx sumlens inspect checkpoints/reference/max-med-sum-pairs-d16-s1-5deca8f89d56 "(SUM 7 3)" --patch "(SUM 7 4)"':
    'npx sumlens inspect $ROOT/checkpoints/reference/max-med-sum-pairs-d16-s1-5deca8f89d56 "(SUM 7 3)" --patch "(SUM 7 4)"',
  'npx sumlens compare checkpoints/sum-full-d16-* checkpoints/max-sum-full-d16-* --name first-finding':
    'npx sumlens compare checkpoints/sum-full-d16-* checkpoints/max-sum-full-d16-* --name first-finding --subset',
};

/** Commands that are not run here, by the reason. */
const NOT_RUN: Readonly<Record<string, readonly string[]>> = {
  'needs a queue server; test/e2e/sweep-queue.test.ts': [
    'npx sumlens sweep plan.yaml --queue redis://:password@host:6379',
    'npx sumlens worker --queue redis://:password@host:6379 --jobs 8',
    'redis-server --bind 0.0.0.0 --requirepass <password>',
    'npx sumlens sweep paper --size paper --queue redis://:<password>@a:6379',
    'npx sumlens worker --queue redis://:<password>@a:6379 --jobs 2',
  ],
  'needs a cluster; test/e2e/sweep-slurm.test.ts runs the script': ['sbatch sweep.sbatch'],
  'serves until it is ended; test/e2e/readme.test.ts': ['npx sumlens serve'],
  'serves until it is ended; test/viewer/http/names.test.ts': [
    'sumlens serve --port 4173 --allow-host localhost:8080',
    'sumlens serve --host 0.0.0.0 --allow-host localhost:4173',
    'sumlens serve --allow-host https://hub.example/user/me/proxy/4173',
    'sumlens serve --host 0.0.0.0',
  ],
  'needs a machine with cores to spare': ['npm run load:viewer', 'node bench/playground.mjs'],
  'names of commands in a sentence': [
    'sumlens verify',
    'sumlens repair',
    'sumlens inspect',
    'sumlens serve',
    'node -e 0',
  ],
  'takes an hour; test/faults/short.test.ts': [
    'npm run test:faults',
    'npm run test:faults -- --only P9,P11',
    'npm run test:faults -- --short',
  ],
  'trains for hours; test/e2e/readme.test.ts runs the preset for two steps': ['sumlens run authors'],
  'installs every package; test/setup/ignore-scripts.test.ts': ['npm ci --ignore-scripts'],
  'runs this test itself, or a folder of tests': [
    'npm test',
    'npx vitest run test/listops',
    'npx vitest run test/config -u',
  ],
  'builds what the tests run on, with tools of its own': [
    'npm run setup',
    'npm run build',
    'npm run build:native',
  ],
  'writes a committed file': [
    'npm run make:reference',
    'npm run make:example-report',
    'npm run make:findings',
    'npm run make:api',
    'npm run make:screenshots',
    'node src/setup/build-wasm.mjs',
  ],
  'measures for minutes; test/bench/command.test.ts': [
    'npm run bench',
    'npm run bench -- --only pytorch',
    'npm run bench -- --only cost',
    'npm run bench -- --only lens',
    'npm run bench -- --only job',
    'npm run bench -- --long',
    'npm run bench -- --json figures.json --allow-missing-peers',
  ],
  'is called by .ci/run': [
    'npm run test:pytorch',
    'npm run setup:tfjs-node',
    'npm run lint',
    'npm run typecheck',
    'npm run fuzz',
    'npm run fuzz -- --only engine --seed 7 --cases 1',
    'npm run fuzz -- --fixed --seed 20260101',
  ],
};
const EXCUSED = Object.values(NOT_RUN).flat();

let folder: string;
const RUN = readdirSync(join(ROOT, 'checkpoints', 'reference')).find((name) => name.startsWith('sum-')) ?? '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-docs-'));
  mkdirSync(join(folder, 'checkpoints'));
  cpSync(join(ROOT, 'checkpoints', 'reference', RUN), join(folder, 'checkpoints', RUN), { recursive: true });
  // two runs of two steps
  const plan = TINY_PLAN.replace('steps: 60', 'steps: 2').replace('[4, 6, 8]', '[4]').replace('1..2', '1..1');
  writeFileSync(join(folder, 'plan.yaml'), plan);
  writeFileSync(
    join(folder, 'sized.yaml'),
    `${plan}sizes: { small: { seeds: [1] }, paper: { seeds: [2] } }\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(
  command: string,
  timeout = 170_000,
): { readonly code: number | null; readonly output: string } {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|SUMLENS_|VITEST)/.test(name));
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', command.replaceAll('npx sumlens', '"$NODE" "$CLI"')],
    {
      cwd: folder,
      env: { ...Object.fromEntries(own), NODE: process.execPath, CLI, ROOT, RUN },
      encoding: 'utf8',
      timeout,
    },
  );
  return { code: status, output: stdout + stderr };
}

describe('blocks of code', () => {
  it('are all known: commands, a language that is looked at below, or no code, with the reason', () => {
    const known = Object.values(NO_CODE).flat();
    const unknown = BLOCKS.filter(
      (block) =>
        !['ts', 'js', 'yaml', 'python'].includes(block.language ?? '') &&
        !(block.language === undefined && block.lines.every((line) => isCommand(line))) &&
        !(block.language === undefined && block.file === FORMULAS) &&
        !(block.language === 'typescript' && block.file === DECLARATIONS) &&
        !known.some((begin) => named(block).startsWith(begin)),
    );
    expect(unknown.map(named)).toEqual([]);
    const leftOver = known.filter((begin) => !BLOCKS.some((block) => named(block).startsWith(begin)));
    expect(leftOver).toEqual([]);
    expect(
      BLOCKS.filter(({ file }) => file === FORMULAS).flatMap(({ lines }) => lines.filter(isCommand)),
    ).toEqual([]);
  });

  const written = (language: string): [string, string][] =>
    BLOCKS.filter((block) => block.language === language).map((block) => [
      named(block),
      block.lines.join('\n'),
    ]);

  it.each(written('ts'))(
    'TypeScript is type-checked and runs: %s',
    async (_, code) => {
      // within the package, whose own name then means what it exports
      const inside = join(ROOT, 'build', `snippet-${process.pid}`);
      mkdirSync(inside, { recursive: true });
      try {
        writeFileSync(join(inside, 'snippet.ts'), code);
        const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
        const flags = [
          '--strict',
          '--noEmit',
          '--skipLibCheck',
          '--target',
          'es2023',
          '--module',
          'nodenext',
        ];
        const checked = spawnSync(process.execPath, [tsc, '--ignoreConfig', ...flags, 'snippet.ts'], {
          cwd: inside,
          encoding: 'utf8',
        });
        expect([checked.stdout, checked.status]).toEqual(['', 0]);
        // as it is, but for the number of steps and the folder
        const shorter = code
          .replace('seed: 7 }', 'seed: 7, training: { steps: 2 } }')
          .replace("'checkpoints'", JSON.stringify(join(folder, 'checkpoints')))
          .replace("'checkpoints/", `'${ROOT}/checkpoints/`);
        expect(shorter).not.toBe(code);
        // a snippet that prints nothing ends with the weights of its run
        const shown = code.includes('console.log') ? '' : '\nconsole.log(parameters.length);\n';
        writeFileSync(join(inside, 'snippet.ts'), shorter + shown);
        const built = await build({ entryPoints: [join(inside, 'snippet.ts')], format: 'esm', write: false });
        writeFileSync(join(inside, 'snippet.mjs'), built.outputFiles[0].contents);
        const ran = spawnSync(process.execPath, ['snippet.mjs'], { cwd: inside, encoding: 'utf8' });
        expect([ran.stderr, ran.status]).toEqual(['', 0]);
        if (shown !== '') expect(Number(ran.stdout)).toBeGreaterThan(1000);
        else expect(ran.stdout.split('\n').length).toBeGreaterThan(2);
      } finally {
        rmSync(inside, { recursive: true, force: true });
      }
    },
    170_000,
  );

  it.each(written('js'))(
    'a module of JavaScript measures a run: %s',
    (_, code) => {
      writeFileSync(join(folder, 'module.js'), code);
      const { code: ended, output } = shell('npx sumlens probe ./module.js $RUN --subset --name module');
      expect([ended, output]).toEqual([0, expect.anything()]);
    },
    170_000,
  );

  it.each(written('yaml'))('a plan is read and has runs: %s', (_, text) => {
    expect(countRuns(parsePlan(text, 'plan.yaml'))).toBeGreaterThan(0);
  });

  const [[, python] = ['', '']] = written('python');
  const pieces = new Map(
    python
      .split(/^# (?=nanogpt|hf-gpt2|transformer-lens)/m)
      .slice(1)
      .map((piece) => [/^[\w-]+/.exec(piece)?.[0] ?? '', `# ${piece}`]),
  );
  const PYTHON = [process.env['PYTHON'] ?? 'python3', '/usr/bin/python3'];
  const withModules = (...names: readonly string[]): string | undefined =>
    PYTHON.find(
      (python) =>
        spawnSync(python, ['-W', 'ignore', '-c', names.map((name) => `import ${name}`).join('\n')]).status ===
        0,
    );

  it('Python has a piece for each format', () => {
    expect([...pieces.keys()]).toEqual(['nanogpt', 'hf-gpt2', 'transformer-lens']);
  });

  // what is not installed by .ci/run is not asked for there: a module of one's own, or hundreds of megabytes
  const runs = (format: string, ...modules: readonly string[]): void => {
    const found = withModules(...modules);
    it(`Python: ${format}${found === undefined ? `: only its syntax, as ${modules.join(' and ')} cannot be imported` : ''}`, () => {
      const anyPython = found ?? withModules('ast');
      if (anyPython === undefined) return;
      expect(shell(`npx sumlens export $RUN --to ${format} --out folder-${format}`).code).toBe(0);
      const piece = (pieces.get(format) ?? '').replaceAll('"folder', `"folder-${format}`);
      expect(piece).toContain(`"folder-${format}`);
      const imports = 'import json, torch\nfrom safetensors.torch import load_file\n';
      const code = format === 'transformer-lens' ? `${imports}${piece}` : piece;
      const args = found === undefined ? ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'] : ['-'];
      const { status, stdout, stderr } = spawnSync(anyPython, args, {
        cwd: folder,
        input: code,
        encoding: 'utf8',
        env: { ...process.env, HF_HUB_OFFLINE: '1' },
        timeout: 160_000,
      });
      expect([status, stderr.slice(-2000)]).toEqual([0, expect.anything()]);
      // `generate` with whatever the tokenizer gives: 7 + 3 + 6 step by step, modulo 10
      if (format === 'hf-gpt2' && found !== undefined) expect(stdout).toMatch(/^s \( SUM 7 3 6 \) > \S/);
    }, 170_000);
  };
  runs('nanogpt', 'torch', 'safetensors', 'model');
  runs('hf-gpt2', 'torch', 'transformers');
  runs('transformer-lens', 'torch', 'safetensors', 'transformer_lens');
});

describe('commands', () => {
  it('are all known, and no line of this file is left over', () => {
    expect(COMMANDS.length).toBeGreaterThan(20);
    const known = [...Object.keys(SHORTER), ...EXCUSED];
    expect(COMMANDS.filter((command) => !known.includes(command))).toEqual([]);
    expect(known.filter((command) => !COMMANDS.includes(command))).toEqual([]);
  });

  it('that are not run name a script, a file or a folder that is there', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    for (const command of EXCUSED) {
      const [program, first, second] = command.split(' ');
      if (program === 'npm' && first === 'run') expect(scripts, command).toHaveProperty([second]);
      if (program === 'node' && first !== '-e') expect(existsSync(join(ROOT, first)), command).toBe(true);
      const path = /\btest\/\S+/.exec(command)?.[0];
      if (path !== undefined) expect(existsSync(join(ROOT, path)), command).toBe(true);
    }
  });

  // in this order: some read what others write
  it('run', () => {
    for (const [command, shorter] of Object.entries(SHORTER)) {
      if (command.startsWith('sumlens import model')) {
        cpSync(join(folder, 'nanogpt', 'model.safetensors'), join(folder, 'model.safetensors'));
        cpSync(join(folder, 'nanogpt', 'vocabulary.json'), join(folder, 'meta.json'));
      }
      const { code, output } = shell(shorter);
      expect([command, code, output.slice(-2000)]).toEqual([command, 0, expect.anything()]);
    }
  }, 900_000);
});
