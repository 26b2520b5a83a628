/** A link to a page of the viewer. */
import type { ComponentChildren } from 'preact';
import { href, type Query } from '../router.js';

export interface LinkProps {
  /** path below the viewer's root */
  readonly to: string;
  readonly query?: Query;
  readonly class?: string;
  readonly title?: string;
  readonly id?: string;
  readonly 'aria-current'?: 'page' | undefined;
  readonly 'aria-label'?: string;
  readonly children?: ComponentChildren;
}

export function A({ to, query, children, ...rest }: LinkProps) {
  return (
    <a {...rest} href={href(to, query)}>
      {children}
    </a>
  );
}
