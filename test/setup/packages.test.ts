/** When packages count as installed: by npm's own list, with whatever flags it was called. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../io/temporary.js';

interface Package {
  readonly version: string;
  readonly integrity?: string;
  readonly optional?: boolean;
}

const script = '../../src/setup/setup.mjs';
const { packagesAreInstalled } = (await import(script)) as {
  packagesAreInstalled: (root: string) => boolean;
};

function folder(wanted: Record<string, Package>, installed?: Record<string, Package>): string {
  const root = temporaryFolder();
  writeFileSync(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { '': { name: 'x' }, ...wanted } }),
  );
  mkdirSync(join(root, 'node_modules'));
  if (installed !== undefined) {
    writeFileSync(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  }
  return root;
}

describe('packagesAreInstalled', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const b = { version: '2.0.0', integrity: 'sha512-b', optional: true };

  it('is true after npm ci with or without its scripts, also without an optional package', () => {
    expect(packagesAreInstalled(folder({ 'node_modules/a': a }, { 'node_modules/a': a }))).toBe(true);
    expect(
      packagesAreInstalled(folder({ 'node_modules/a': a, 'node_modules/b': b }, { 'node_modules/a': a })),
    ).toBe(true);
  });

  it('is false when one is missing or another, and before npm has finished', () => {
    expect(packagesAreInstalled(folder({ 'node_modules/a': a }, {}))).toBe(false);
    expect(
      packagesAreInstalled(folder({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } })),
    ).toBe(false);
    expect(packagesAreInstalled(folder({ 'node_modules/a': a }))).toBe(false);
  });
});
