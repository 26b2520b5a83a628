/** `sumlens repair`: says what can be put right without losing anything, and does it with --yes. */
import type { Command } from 'commander';
import { findingLine } from '../../checkpoint/store.js';
import { printable } from '../../errors.js';
import { canonicalJson, type Json } from '../../io/json.js';
import { applyRepair } from '../../workflows/repair/apply.js';
import { type Action, planRepair, type RepairPlan } from '../../workflows/repair/plan.js';
import { verifyPaths } from '../../workflows/verify/verify.js';
import { type ParsedOptions, switchValue } from '../flags/flags.js';
import { SUMMARIES } from '../terminal/summaries.js';
import { countOf, summary } from './verify.js';

const EXAMPLE = `
Prints what it would do; --yes does it and verifies again. It sweeps what a crash was writing, removes locks of processes that
have ended, cuts torn tails of logs, writes a manifest again where the next one proves it, and moves damaged steps, resume
points and cached measurements into a folder .damaged beside them. Nothing that is whole is touched, and nothing damaged is
deleted. A run that a live process holds is left alone.

--retrain also moves aside the end and the resume points that keep training from computing a damaged step or log again: then
start the same configuration, and the same engine and kernels give the same bytes.

Exit code 0: nothing is wrong now, 1: something is left (or would be done), 2: the folder is none.

Examples:
  sumlens repair checkpoints
  sumlens repair checkpoints/<run> --retrain --yes`;

export function registerRepair(program: Command): void {
  program
    .command('repair')
    .description(SUMMARIES.repair.description)
    .argument('<folder...>', 'runs, folders of runs, or of reports')
    .option('--yes', 'do it')
    .option('--retrain', 'also move aside what keeps training from computing again what is damaged')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'no plan and no summary')
    .addHelpText('after', EXAMPLE)
    .action((paths: string[], options: ParsedOptions) => {
      const quiet = switchValue(options, 'quiet');
      const isJson = switchValue(options, 'json');
      const say = (line: string): void => {
        if (!quiet && !isJson) console.log(line);
      };
      const plan = planRepair(verifyPaths(paths), switchValue(options, 'retrain'));
      const actions = actionsOf(plan);
      for (const { path, says } of actions) say(`${printable(path, 300)} ${says}`);
      for (const found of plan.held)
        console.error(`left alone: ${findingLine(found).replace(/^note: /, '')}`);
      if (!switchValue(options, 'yes')) {
        for (const found of plan.left) say(`not repaired: ${findingLine(found)}`);
        if (isJson) print({ plan: actions, done: [], failed: [], left: plan.left, held: plan.held });
        if (actions.length > 0) say(`Nothing was changed: pass --yes to do ${howMany(actions)}.`);
        else if (plan.left.length + plan.held.length === 0) say('Nothing to do.');
        if (actions.length + plan.left.length + plan.held.length > 0) process.exitCode = 1;
        return;
      }
      const { done, failed } = applyRepair(plan);
      for (const reason of failed) console.error(reason);
      const after = verifyPaths(paths);
      const left = after.findings.filter(({ level }) => level === 'error');
      for (const found of left) say(`not repaired: ${findingLine(found)}`);
      if (isJson) print({ plan: actions, done, failed, left, held: plan.held });
      say(`${done.length} done. ${summary(after)}`);
      if (countOf(after, 'error') + failed.length + plan.held.length > 0) process.exitCode = 1;
    });
}

const actionsOf = ({ runs, others }: RepairPlan): Action[] => [
  ...runs.flatMap(({ actions }) => actions),
  ...others,
];

const howMany = (actions: readonly Action[]): string =>
  actions.length === 1 ? 'this' : `these ${actions.length} things`;

/** The text of manifests is no news. */
function print(document: Readonly<Record<string, unknown>>): void {
  const shown = JSON.parse(
    JSON.stringify(document, (key, value: unknown) => (key === 'text' ? undefined : value)),
  ) as Json;
  process.stdout.write(`${canonicalJson(shown)}\n`);
}
