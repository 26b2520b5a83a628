/** Messages between a job's parent and its child, JSON lines over the IPC channel. */
import type { Json } from '../io/json.js';

/** To the child, when it is ready: its work. Of any size, and never in a file that others could read, guess or mix up. */
export interface JobMessage {
  readonly kind: 'job';
  readonly job: Json;
}

/** From the child. The first one is ready, when its entry listens; then comes its job. The next one is started, when its work begins; the last one is result, failed or interrupted. */
export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started' }
  | { readonly kind: 'message'; readonly message: Json }
  | { readonly kind: 'result'; readonly result: Json }
  | { readonly kind: 'failed'; readonly message: string; readonly userError: boolean }
  | { readonly kind: 'interrupted' };

/** From the parent: stop at the next good moment. */
export const CANCEL = { kind: 'cancel' } as const;
