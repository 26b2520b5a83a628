/** Runs side by side. */
import { Empty, useTitle } from '../parts/states.js';

export function ComparePage() {
  useTitle('Compare - sumlens');
  return (
    <>
      <h1>Compare</h1>
      <Empty>
        <code>sumlens compare</code> with two or more runs measures them and writes a report.
      </Empty>
    </>
  );
}
