/** Fonts for tests in a browser: a machine that has one font only, by a fontconfig file of its own. Linux. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestFont } from '../../src/setup/test-tools.mjs';

/** Why a font cannot be used, for `describeNeeding`; undefined where it can. */
export function missingFont({ family, folder, debian }: TestFont): string | undefined {
  return existsSync(folder) ? undefined : `the font ${family} (Debian: apt-get install ${debian}).`;
}

/**
 * Environment of a browser that draws everything, whatever the page asks for, with one family.
 * @param folder - for the fontconfig file and its cache
 */
export function onlyFont(font: TestFont, folder: string): Readonly<Record<string, string>> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'fonts.conf');
  writeFileSync(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${font.folder}</dir>
  <cachedir>${join(folder, 'cache')}</cachedir>
  <match target="pattern">
    <edit name="family" mode="assign" binding="strong"><string>${font.family}</string></edit>
  </match>
</fontconfig>
`,
  );
  return { FONTCONFIG_FILE: file };
}
