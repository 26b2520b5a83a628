/** An import is there whole or not at all, whatever file operation fails; and in the authors' notation too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXCHANGE_FORMATS } from '../../../src/checkpoint/exchange/formats.js';
import { publishImportedRun } from '../../../src/checkpoint/exchange/publish.js';
import { reorderVocabulary, parseVocabularyFile } from '../../../src/checkpoint/exchange/vocabulary-file.js';
import { exportFiles } from '../../../src/checkpoint/exchange/write.js';
import { openRun } from '../../../src/checkpoint/store.js';
import { gptConfigOf } from '../../../src/config/names.js';
import { publishDirectory, withFileSystem } from '../../../src/io/files.js';
import { authorsVocabulary } from '../../../src/listops/language/tokenizer.js';
import { importCheckpoint } from '../../../src/workflows/exchange/import-checkpoint.js';
import { type Fault, FaultyFileSystem } from '../../io/faulty-file-system.js';
import { temporaryFolder } from '../../io/temporary.js';
import { originOf, smallConfig, someParameters } from './runs.js';

describe('publishImportedRun', () => {
  it('leaves no run or a whole one after a crash or an error at any operation', () => {
    const config = smallConfig();
    const parameters = someParameters(config);
    const publish = (dir: string): void =>
      publishImportedRun(dir, {
        config,
        step: 64,
        end: 'budget',
        parameters,
        session: { engine: 'imported' },
        metrics: [],
      });
    const counting = new FaultyFileSystem({ kind: 'none' });
    withFileSystem(counting, () => publish(join(temporaryFolder(), 'run')));
    expect(counting.operations).toBeGreaterThan(20);
    let whole = 0;
    for (let at = 0; at < counting.operations; at++) {
      const faults: Fault[] = [
        ...(['before', 'after', 'torn'] as const).map((when) => ({ kind: 'crash', at, when }) as const),
        { kind: 'errors-from', at, code: 'ENOSPC' },
      ];
      for (const fault of faults) {
        const folder = temporaryFolder();
        const dir = join(folder, 'run');
        const faulty = new FaultyFileSystem(fault);
        try {
          withFileSystem(faulty, () => publish(dir));
        } catch {
          // what is on the disk counts
        }
        faulty.settle(folder);
        if (!existsSync(dir)) continue;
        whole++;
        expect(openRun(dir).verify(), JSON.stringify(fault)).toEqual([]);
        expect(openRun(dir).loadStep('final').parameters).toEqual(parameters);
      }
    }
    expect(whole).toBeGreaterThan(0);
  });
});

describe("the authors' notation", () => {
  const config = smallConfig({ unembeddingBias: true, tied: false }, { notation: 'authors', modulus: 10 });
  const parameters = someParameters(config);

  it.each(EXCHANGE_FORMATS.filter((to) => to !== 'hf-gpt2'))('goes to %s and back', (to) => {
    const folder = temporaryFolder();
    publishDirectory(
      join(folder, 'there'),
      exportFiles(originOf(config, parameters, to), parameters).entries,
    );
    const { dir } = importCheckpoint({ path: join(folder, 'there'), out: join(folder, 'run') });
    expect(openRun(dir).config).toEqual(config);
    expect(openRun(dir).loadStep('final').parameters).toEqual(parameters);
  });

  it('is known by its tokens when a model from elsewhere has them in another order', () => {
    const vocab = authorsVocabulary(10);
    const shuffled = [...vocab.tokens].reverse();
    const { ours, ids, added } = parseVocabularyFile(JSON.stringify(shuffled), 'list.json', vocab.size);
    expect(ours.notation).toBe('authors');
    expect(added).toEqual([]);
    const there = Int32Array.from({ length: vocab.size }, (_, i) => vocab.size - 1 - i);
    expect(ids).toEqual(there);
    // twice the other way round is the way it was
    const gpt = gptConfigOf(config);
    const once = reorderVocabulary(gpt, parameters, ids);
    expect(once.parameters).not.toEqual(parameters);
    expect(reorderVocabulary(gpt, once.parameters, ids).parameters).toEqual(parameters);
  });
});
