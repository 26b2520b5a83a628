/** Tables of src/model whose order and numbers the C sources repeat. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { ACTIVATION_FUNCTIONS } from '../../src/model/activation-functions.js';
import { ACTIVATIONS } from '../../src/model/activations.js';

const source = (name: string): string =>
  readFileSync(join(packageRoot(), 'src', 'engine', 'kernels', name), 'utf8');

/** Names of each `enum { A, B }` in a C source. */
function enums(text: string): string[][] {
  return [...text.matchAll(/^enum \{([^}]*)\}/gm)].map(([, body]) =>
    body
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
}

/** `attn.attn_scores` and `ln1.normalized` as model.h calls them. */
const inC = (name: string): string =>
  name
    .replace(/^attn\.(attn_)?|\.normalized$/g, '')
    .replace('.', '_')
    .toUpperCase();

it('model.h has the activations in the order of the table', () => {
  const [model, block] = enums(source('model.h'));
  const names = (scope: 'model' | 'block'): string[] =>
    ACTIVATIONS.filter((row) => row.scope === scope).map((row) => inC(row.name));
  expect(block).toEqual([...names('block'), 'BLOCK_ACTIVATIONS']);
  // the last of the whole model, after all blocks, has no name of its own
  expect(model).toEqual([...names('model').slice(0, -1), 'FIRST_BLOCK']);
});

it('activation functions have numbers of their own, and the kernels know no more than these', () => {
  const codes = Object.values(ACTIVATION_FUNCTIONS).map(({ kernel }) => kernel);
  expect(new Set(codes).size).toBe(codes.length);
  expect(source('model.h')).toMatch(/int32_t V, C, L, NH, M, relu, n_blocks/);
  expect(ACTIVATION_FUNCTIONS.relu.kernel).toBe(1);
  expect(ACTIVATION_FUNCTIONS.gelu.kernel).toBe(0);
});
