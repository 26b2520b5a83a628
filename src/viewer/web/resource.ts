/** What pages ask the viewer's server for: kept between pages, asked for again while somebody looks. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { href } from './router.js';

const REFRESH_MS = 2000;

/** The server's own words for what went wrong. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Resource<T> {
  /** undefined: not here yet */
  readonly data: ReadonlySignal<T | undefined>;
  /** why the last attempt failed; what was shown before stays */
  readonly error: ReadonlySignal<Error | undefined>;
  refresh(): Promise<void>;
}

/**
 * @param path - of the API
 * @param read - takes the value from the body; the server of this page is the same build, so the body has the type of contract.ts
 */
export function resource<T>(path: string, read: (body: unknown) => T): Resource<T> {
  const data = signal<T | undefined>(undefined);
  const error = signal<Error | undefined>(undefined);
  let tag: string | null = null;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    try {
      const response = await send(path);
      const newTag = response.headers.get('ETag');
      // a long list that has not changed is not read again
      if (newTag === null || newTag !== tag || data.peek() === undefined)
        data.value = read(await response.json());
      else await response.body?.cancel();
      tag = newTag;
      error.value = undefined;
    } catch (reason) {
      error.value = reason instanceof Error ? reason : new Error(String(reason));
    }
  };
  return {
    data,
    error,
    refresh: () => (asking ??= ask().finally(() => (asking = undefined))),
  };
}

/** Asks now, and again every two seconds while the page is visible. */
export function useLive(...resources: readonly Resource<unknown>[]): void {
  useEffect(() => {
    let timer = 0;
    let over = false;
    const again = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        await Promise.all(resources.map((one) => one.refresh()));
      }
      if (!over) timer = window.setTimeout(() => void again(), REFRESH_MS);
    };
    void again();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, resources);
}

/** @throws AnswerError with the server's words; TypeError when it does not answer */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('Accept', 'application/json');
  const response = await fetch(href(path), { ...init, headers });
  if (!response.ok) throw new AnswerError(response.status, await wordsOf(response));
  return response;
}

async function wordsOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  const said = (field: string): string | undefined => {
    const value: unknown =
      typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[field] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return said('detail') ?? said('error') ?? said('title') ?? `The viewer answered ${response.status}.`;
}

/** Asks when the page opens; what is known already shows at once. */
export function useOnce(one: Resource<unknown>): void {
  useEffect(() => void one.refresh(), [one]);
}
