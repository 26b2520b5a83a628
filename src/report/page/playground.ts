/** The playground in a page: its place, and the models and kernels that it carries. What it does is src/playground. */
import { type PlaygroundDocument, toBase64 } from '../../playground/document.js';
import { KERNELS_ELEMENT, MODELS_ELEMENT, ROOT_ELEMENT } from '../../playground/page-data.js';
import { html, Html, scriptJson } from './html.js';

/** A page with more is slow to open and to mail. */
export const MAX_PAGE_BYTES = 6_000_000;
export const MAX_PAGE_MODELS = 2;

export interface PagePlayground {
  readonly runtime: { readonly script: string; readonly styles: string };
  /** the bytes of kernels.wasm */
  readonly kernels: Uint8Array;
  readonly models: readonly PlaygroundDocument[];
}

export function playgroundSection(): Html {
  return html`<section class="module" aria-labelledby="playground-title">
    <h2 id="playground-title">Playground</h2>
    <p class="question">Type an expression, see the model reduce it, and switch off what it does it with.</p>
    ${playgroundRoot()}
  </section>`;
}

/** Filled in by the script. */
export function playgroundRoot(): Html {
  return html`<div id="${ROOT_ELEMENT}">
    <p>The playground needs JavaScript, and a browser that runs WebAssembly with SIMD.</p>
  </div>`;
}

export function playgroundData({ models, kernels }: PagePlayground): Html {
  return html`${scriptJson(MODELS_ELEMENT, models)} ${scriptJson(KERNELS_ELEMENT, toBase64(kernels))}`;
}
