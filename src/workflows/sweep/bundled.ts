/** Plans that come with the package, and how a name on the command line becomes a plan. */
import { join } from 'node:path';
import { nearest, unacceptable } from '../../errors.js';
import { exists, listDirectory } from '../../io/files.js';
import { packageRoot } from '../../io/package-root.js';
import { type Plan, type PlanSize, readPlan } from './plan/plan.js';

const folder = (): string => join(packageRoot(), 'src', 'config', 'plans');

/** Names of the plans of the package, sorted. */
export function bundledPlans(): string[] {
  return listDirectory(folder())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length));
}

/**
 * A plan of the package by its name, or one's own by its path.
 * @throws UserError with the nearest name
 */
export function findPlan(nameOrPath: string, size?: PlanSize): Plan {
  return readPlan(planFile(nameOrPath), size);
}

/** The file of a plan, which need not be there. @throws UserError with the nearest name */
export function planFile(nameOrPath: string): string {
  const names = bundledPlans();
  if (names.includes(nameOrPath)) return join(folder(), `${nameOrPath}.yaml`);
  if (/[./\\]/.test(nameOrPath) || exists(nameOrPath)) return nameOrPath;
  const near = nearest(nameOrPath, names);
  throw unacceptable(
    'plan',
    nameOrPath,
    `one of ${names.join(', ')}, or a file such as plan.yaml`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}
