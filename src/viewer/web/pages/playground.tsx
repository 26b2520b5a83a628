/** A model to try. */
import { Empty, useTitle } from '../parts/states.js';

export function PlaygroundPage() {
  useTitle('Playground - sumlens');
  return (
    <>
      <h1>Playground</h1>
      <Empty>
        <code>sumlens sample</code> lets a model write the reduction of an expression.
      </Empty>
    </>
  );
}
