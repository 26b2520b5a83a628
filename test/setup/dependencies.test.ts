/** docs/dependencies.md against package.json, the lock file and what is installed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';

const ROOT = packageRoot();
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Installed {
  readonly version: string;
  readonly license?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}
type Names = Readonly<Record<string, string>>;
const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as {
  readonly dependencies: Names;
  readonly optionalDependencies: Names;
  readonly devDependencies: Names;
};
const { packages } = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Installed>>;
};

const KINDS = [
  ['run time', dependencies],
  ['optional', optionalDependencies],
  ['development', devDependencies],
] as const;

const rows = read('docs/dependencies.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''))
      .slice(1, -1),
  );

describe('docs/dependencies.md', () => {
  it('has a row for every package of package.json, with the version and licence of the lock file', () => {
    const expected = KINDS.flatMap(([kind, names]) =>
      Object.keys(names).map((name) => {
        const { version, license } = packages[`node_modules/${name}`];
        return [name, version, license, kind];
      }),
    );
    expect(rows.map((row) => row.slice(0, 4))).toEqual(expected);
    expect(rows.filter((row) => (row[4] ?? '').length < 3)).toEqual([]);
  });

  it('says what is installed', () => {
    for (const [name, version, licence, kind] of rows) {
      const path = join('node_modules', name, 'package.json');
      if (kind === 'optional' && !existsSync(join(ROOT, path))) continue;
      const found = JSON.parse(read(path)) as Installed;
      expect([name, found.version, found.license]).toEqual([name, version, licence]);
    }
  });

  it('is right that versions are exact and known by their hash, and about install scripts', () => {
    for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      expect([name, version]).toEqual([name, packages[`node_modules/${name}`].version]);
    }
    const all = Object.entries(packages).filter(([path]) => path !== '');
    expect(all.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
    const scripted = all.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ''));
    const text = read('docs/dependencies.md');
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
    // esbuild's calls its program through JavaScript where its script did not run
    const needed = scripted.filter(([, { optional }]) => optional !== true);
    expect(needed.map(([path]) => path)).toEqual(['node_modules/esbuild']);
  });
});
