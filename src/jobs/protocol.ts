/** Messages between a job's parent and its child, JSON lines over the IPC channel. */
import type { Json } from '../io/json.js';

/** From the child. The first one is started, when its code is loaded; the last one is result, failed or interrupted. */
export type ChildMessage =
  | { readonly kind: 'started' }
  | { readonly kind: 'message'; readonly message: Json }
  | { readonly kind: 'result'; readonly result: Json }
  | { readonly kind: 'failed'; readonly message: string; readonly userError: boolean }
  | { readonly kind: 'interrupted' };

/** From the parent: stop at the next good moment. */
export const CANCEL = { kind: 'cancel' } as const;
