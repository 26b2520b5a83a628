/** What runs and what waits. */
import { Empty, useTitle } from '../parts/states.js';

export function JobsPage() {
  useTitle('Jobs - sumlens');
  return (
    <>
      <h1>Jobs</h1>
      <Empty>
        <code>sumlens train</code> and <code>sumlens sweep</code> start work on the command line.
      </Empty>
    </>
  );
}
