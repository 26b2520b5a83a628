/** A page that is not there, or failed: what is the matter, and the way back. */
import { A } from './link.js';
import { useTitle, type WithChildren } from './states.js';

export function Broken({ title, children }: WithChildren & { readonly title: string }) {
  useTitle(`${title} - sumlens`);
  return (
    <div class="error-page" role="alert">
      <h1>{title}</h1>
      <p>{children}</p>
      <p>
        <A to="/">All runs</A>
      </p>
    </div>
  );
}
