/** Which treatments a template gets: every component by every method, sites, direct effects, dose curves. Nothing is run. */
import { HALF_OCTAVE_DOSES } from './half-dose.js';
import { SITES } from '../../src/listops/prompts/templates.js';
import { type Component, METHODS, type Method, bothKinds } from '../../src/lens/components.js';
import { DOSES, LOW_DOSES } from './dose.js';

/** Methods of an effect: the four of a component, and two that stand alone. */
export type EffectMethod =
  | Method
  /** attention patterns set to their template mean, values kept */
  | 'pattern mean'
  /** donor: the same numbers under another operation of the run */
  | 'other operation';

export interface EffectKey {
  /** component id; see components.ts */
  readonly component: string;
  readonly method: EffectMethod;
  readonly site: string;
  readonly effect: 'total' | 'direct';
}

/** One treatment of every template that allows it. */
export interface Plan {
  readonly key: EffectKey;
  readonly component: Component;
  readonly alpha: number;
  /** reported in the table of effects (alpha = 1); the rest are points of dose curves */
  readonly inTable: boolean;
  /** only on the pure templates of this group */
  readonly only: 'all' | 'pure' | 'primary';
}

const [ALL] = SITES;

function plan(
  component: Component,
  method: EffectMethod,
  options: Partial<Pick<Plan, 'alpha' | 'inTable' | 'only'>> & {
    readonly site?: string;
    readonly effect?: 'total' | 'direct';
  } = {},
): Plan {
  const { site = ALL, effect = 'total', alpha = 1, inTable = true, only = 'all' } = options;
  return { key: { component: component.id, method, site, effect }, component, alpha, inTable, only };
}

/**
 * Every treatment of a run. Resample is the primary method: it alone is also confined to sites and made direct, and its
 * dose curves are measured for every operation; the other methods' only for the primary one.
 * @param dosesPerOctave - 2: the half octaves of C4; 1: every second of them
 */
export function planTreatments(
  components: readonly Component[],
  nTasks: number,
  dosesPerOctave: number,
): Plan[] {
  const octaves = HALF_OCTAVE_DOSES.filter(
    (alpha, i) => i % (2 / dosesPerOctave) === 0 && !DOSES.includes(alpha),
  );
  const kinds = components.filter(({ scope }) => scope === 'kind');
  const notHeads = components.filter(({ scope }) => scope !== 'head');
  const attention = notHeads.filter(({ kind }) => kind === 'attention');
  return [
    ...components.flatMap((component) => METHODS.map((method) => plan(component, method))),
    ...notHeads.flatMap((component) => SITES.slice(1).map((site) => plan(component, 'resample', { site }))),
    ...components.map((component) => plan(component, 'resample', { effect: 'direct' })),
    ...attention.map((component) => plan(component, 'pattern mean')),
    ...(nTasks < 2 ? [] : notHeads.map((component) => plan(component, 'other operation'))),
    ...[...kinds, bothKinds(components)].flatMap((component) =>
      LOW_DOSE_METHODS.flatMap((method) =>
        // half doses by accuracy compare the two kinds; both at once have their half loss alone
        (component.kind === 'both' ? LOW_DOSES : octaves).map((alpha) =>
          plan(component, method, { alpha, inTable: false, only: 'primary' }),
        ),
      ),
    ),
    ...[...kinds, bothKinds(components)].flatMap((component) =>
      METHODS.flatMap((method) =>
        DOSES.filter((alpha) => alpha < 1 || component.kind === 'both').map((alpha) =>
          plan(component, method, {
            alpha,
            inTable: false,
            only: method === 'resample' ? 'pure' : 'primary',
          }),
        ),
      ),
    ),
  ];
}

/** Low doses are measured for the primary method and its control. */
const LOW_DOSE_METHODS: readonly Method[] = ['resample', 'random'];

/** Name of a treatment in the map of tallies. */
export function planId({ key, alpha }: Pick<Plan, 'key' | 'alpha'>): string {
  return [key.component, key.method, key.site, key.effect, alpha].join('|');
}

export function doseId(component: string, method: Method, alpha: number): string {
  return planId({ key: { component, method, site: ALL, effect: 'total' }, alpha });
}

/** Pattern freeze of all attention. */
export const FREEZE_ID = planId({
  key: { component: 'attention', method: 'pattern mean', site: ALL, effect: 'total' },
  alpha: 1,
});
