/** What a page shows while it has nothing to show: loading, empty, without a server. And its title. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

export interface WithChildren {
  readonly children?: ComponentChildren;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}

export function Loading({ children = 'Loading' }: WithChildren) {
  return (
    <p class="muted loading" role="status">
      {children}
    </p>
  );
}

export function Empty({ children }: WithChildren) {
  return <p class="muted empty">{children}</p>;
}

export type Tone = 'bad' | 'warn' | 'good';

export function Notice({ tone, children }: WithChildren & { readonly tone: Tone }) {
  return <div class={`notice ${tone}`}>{children}</div>;
}

/** The server does not answer; what is shown stays. */
export function Lost({ isLost }: { readonly isLost: boolean }) {
  return (
    <div role="status">
      {isLost && <Notice tone="warn">The viewer does not answer; trying again.</Notice>}
    </div>
  );
}
