import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryOf, queryText } from '../../../src/viewer/web/query.js';

describe('queryText', () => {
  it('says anything in letters that the server takes, and is read back', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 20 });
    const key = words.filter((text) => text !== '' && text !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(key, words, { noNullPrototype: true }), (query) => {
        const text = queryText(query);
        expect(text).toMatch(/^[A-Za-z0-9=&_.,@+:~!-]*$/);
        expect(queryOf(`?${text}`)).toEqual(query);
      }),
    );
  });

  it('leaves addresses of runs as they read', () => {
    expect(queryText({ of: 'exp=2Frun@64,sum_1@last' })).toBe('of=exp~3D2Frun@64,sum_1@last');
    expect(queryOf('?of=exp=2Frun@64,sum_1@last')).toEqual({ of: 'exp=2Frun@64,sum_1@last' });
  });

  it('leaves out what is no text', () => {
    expect(queryOf('?a=~FF&b=1&&=3&c')).toEqual({ b: '1' });
  });
});
