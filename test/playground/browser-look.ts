/** What browser.test.ts runs in Node and, bundled, in Chromium: everything that a page shows of two models. Browser-safe. */
import { openWasmEngine } from '../../src/engine/wasm/engine.js';
import { readPlaygroundDocument } from '../../src/playground/document.js';
import { type Look, openPlayer } from '../../src/playground/player.js';

export interface BrowserLooks {
  /** [numbers] bits of the float32 logits and patterns of every look, in order */
  readonly bits: number[];
  /** all of it as JSON, whose numbers are written so that they are read back the same */
  readonly text: string;
}

const ASKED = ['(SUM 7 3 6)', '(MAX 2 9)', '(SUM 7 (MAX 3 6))', '(MED 1 2 3)'];

/** @param wasm - the bytes of kernels.wasm; @param documents - of models */
export async function looks(wasm: Uint8Array, documents: readonly unknown[]): Promise<BrowserLooks> {
  const engine = await openWasmEngine(wasm);
  const bits: number[] = [];
  const found: unknown[] = [];
  const keep = (values: Float32Array): void => {
    for (const word of new Uint32Array(values.slice().buffer)) bits.push(word);
  };
  const note = (look: Look): void => {
    keep(look.logits);
    for (const { weights } of look.patterns) keep(weights);
    found.push({ ...look, logits: undefined, patterns: undefined });
  };
  for (const document of documents) {
    const player = openPlayer(engine, readPlaygroundDocument(document));
    for (const ask of ASKED) {
      note(player.look({ ask, changes: [] }));
      note(
        player.look({
          ask,
          changes: [
            { part: 'L0.attn', how: 'mean' },
            { part: 'L1.mlp', how: 'zero' },
          ],
        }),
      );
    }
    const question = { ask: '(SUM 7 3 6)', donor: '(SUM 8 3 6)' };
    note(player.look({ ...question, changes: [{ part: 'L0.resid_mid', at: 3, how: 'swap' }] }));
    const map = player.swapMap({ ...question, changes: [] });
    found.push({ ...map, effects: map.effects.map((row) => [...row]) });
    player.dispose();
  }
  engine.dispose();
  return { bits, text: JSON.stringify(found) };
}
