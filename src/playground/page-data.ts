/** What a page that carries the playground holds, and under which ids; written by the report, read by view/standalone.tsx. */

/** Where it is drawn; also the anchor of its addresses. */
export const ROOT_ELEMENT = 'playground';
/** JSON: list of PlaygroundDocument */
export const MODELS_ELEMENT = 'playground-models';
/** JSON: base64 of kernels.wasm */
export const KERNELS_ELEMENT = 'playground-kernels';
