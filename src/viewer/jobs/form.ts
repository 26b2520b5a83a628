/** The form of a job: what the table of settings, the presets, the modules and the plans offer. */
import { MORE_PROBES, PROBES } from '../../../probes/index.js';
import { PRESET_NAMES, presetFields, presets } from '../../config/presets.js';
import type { Setting } from '../../config/setting.js';
import { defaultText, valueText } from '../../config/setting-text.js';
import { SETTINGS } from '../../config/settings.js';
import { allowedText } from '../../rules.js';
import { bundledPlans, findPlan } from '../../workflows/sweep/bundled.js';
import { PLAN_SIZES } from '../../workflows/sweep/plan/plan.js';
import type { FormField, FormPreset, JobForm } from '../contract/jobs.js';

export function jobForm(cores: number): JobForm {
  return {
    cores,
    fields: SETTINGS.flatMap(fieldOf),
    presets: PRESET_NAMES.map(presetOf),
    modules: [...PROBES, ...MORE_PROBES].map(({ name, title, question }) => ({ name, title, question })),
    plans: bundledPlans().map((name) => ({
      name,
      description: findPlan(name).description,
      sizes: PLAN_SIZES.filter((size) => hasSize(name, size)),
    })),
    planSizes: PLAN_SIZES,
  };
}

function hasSize(name: string, size: (typeof PLAN_SIZES)[number]): boolean {
  try {
    findPlan(name, size);
    return true;
  } catch {
    return false;
  }
}

/** A field without a flag is the affair of other commands. */
function fieldOf(row: Setting): FormField[] {
  const { path, flag, help, reason, rule } = row;
  if (flag === undefined) return [];
  const isNumber = rule.kind === 'whole' || rule.kind === 'number' || rule.kind === 'range';
  return [
    {
      ...{ path, flag, help, reason },
      kind: rule.kind,
      allowed: allowedText(rule),
      of: rule.kind === 'choice' || rule.kind === 'names' ? rule.of : [],
      low: isNumber ? rule.low : null,
      high: isNumber ? rule.high : null,
      value: row.derived !== undefined || row.default === undefined ? '' : valueText(row, row.default),
      byDefault: rule.kind === 'boolean' ? String(row.default) : defaultText(row),
    },
  ];
}

function presetOf(name: (typeof PRESET_NAMES)[number]): FormPreset {
  const { description, runs } = presets[name];
  const fields: Record<string, string> = {};
  for (const [section, values] of Object.entries(presetFields(name))) {
    for (const [key, value] of Object.entries(values as Readonly<Record<string, unknown>>)) {
      const row = SETTINGS.find(({ path }) => path === `${section}.${key}`);
      if (row?.flag !== undefined && value !== undefined) fields[row.path] = valueText(row, value);
    }
  }
  return { name, description, runs: runs.length, fields };
}
