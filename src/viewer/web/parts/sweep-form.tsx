/** The form of a sweep: a plan of the package, or one of one's own that is written, pasted or read from a file; and its dry run. */
import { useEffect, useRef, useState } from 'preact/hooks';
import {
  type DryRunResult,
  type JobRequest,
  MOST_PLAN_LETTERS,
  MOST_PLAN_RUNS,
} from '../../contract/jobs.js';
import { change } from '../api.js';
import { durationText, number, plural, whole } from '../format.js';
import { type FieldsProps, Text } from './job-field.js';
import { Notice } from './states.js';

/** Value of the choice that is no plan of the package. */
export const OWN_PLAN = 'own';

/** What stands in the editor at first: a plan that is accepted. */
export const FIRST_PLAN = `name: my-sweep
description: Does width alone decide whether SUM is learned?
base: { training.steps: 4000 }
arms:
  sum: { data.tasks: [SUM] }
  joint: { data.tasks: [MAX, MED, SUM] }
axes: { model.dModel: [8, 16] }
seeds: 101..103
claims: [C2]
`;

interface SweepFieldsProps extends FieldsProps {
  /** what is wrong with the plan of one's own */
  readonly problem: string;
}

export function SweepFields({ form, values, set, problem }: SweepFieldsProps) {
  const plan = form.plans.find(({ name }) => name === values['plan']);
  const isOwn = values['plan'] === OWN_PLAN;
  const sizes = isOwn ? form.planSizes : (plan?.sizes ?? []);
  return (
    <div class="form-fields">
      <div class="form-field">
        <label for="plan">Plan</label>
        <select id="plan" value={values['plan']} onChange={(event) => set('plan', event.currentTarget.value)}>
          <option value={OWN_PLAN}>one of your own</option>
          {form.plans.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <p class="muted small">
          {plan?.description ?? 'Arms, axes and seeds: each arm at each point with each seed.'}
        </p>
      </div>
      {sizes.length > 0 && (
        <div class="form-field">
          <label for="size">Size</label>
          <select
            id="size"
            value={values['size'] ?? ''}
            onChange={(event) => set('size', event.currentTarget.value)}
          >
            <option value="">{isOwn ? 'the only one, or the first' : `default: ${sizes[0]}`}</option>
            {sizes.map((size) => (
              <option key={size} value={size}>
                {size}
              </option>
            ))}
          </select>
        </div>
      )}
      <Text
        name="stopAfter"
        label="Stop after minutes"
        help="empty: when every run is finished"
        values={values}
        set={set}
      />
      {isOwn && (
        <PlanEditor value={values['text'] ?? ''} set={(text) => set('text', text)} problem={problem} />
      )}
    </div>
  );
}

interface EditorProps {
  readonly value: string;
  readonly set: (text: string) => void;
  readonly problem: string;
}

function PlanEditor({ value, set, problem }: EditorProps) {
  const [fileProblem, setFileProblem] = useState('');
  const shown = fileProblem === '' ? problem : fileProblem;
  const read = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    if (file === undefined) return;
    setFileProblem('');
    if (file.size > MOST_PLAN_LETTERS) {
      setFileProblem(
        `${file.name}: found ${whole(file.size)} bytes, expected at most ${whole(MOST_PLAN_LETTERS)}.`,
      );
    } else {
      try {
        set(new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()));
      } catch {
        setFileProblem(`${file.name}: found bytes that are not UTF-8, expected text.`);
      }
    }
    // the same file may be read again once it was changed
    input.value = '';
  };
  return (
    <div class="form-field wide plan-editor">
      <label for="plan-text">Text of the plan</label>
      <textarea
        id="plan-text"
        rows={10}
        spellcheck={false}
        autocomplete="off"
        maxLength={MOST_PLAN_LETTERS}
        value={value}
        aria-invalid={shown !== ''}
        aria-describedby="plan-text-help plan-text-problem"
        onInput={(event) => {
          setFileProblem('');
          set(event.currentTarget.value);
        }}
      />
      <div id="plan-text-problem" role="status">
        {shown !== '' && <Notice tone="bad">{shown}</Notice>}
      </div>
      <p class="muted small" id="plan-text-help">
        {`YAML or JSON, as sumlens sweep plan.yaml takes it; at most ${whole(MOST_PLAN_RUNS)} runs here. A checkpoint to start from is one of this viewer's runs.`}
      </p>
      <label class="file-choice">
        Read a file{' '}
        <input
          type="file"
          accept=".yaml,.yml,.json,application/json,application/yaml"
          onChange={(event) => void read(event.currentTarget)}
        />
      </label>
    </div>
  );
}

interface DryRunProps {
  readonly request: JobRequest;
  /** the request as text, once its dry run is shown; undefined: it is not */
  readonly onShown: (text: string | undefined) => void;
  /** the plan cannot be read as it is */
  readonly isWrong: boolean;
}

/** What the sweep would do: asked for by a button, since this machine is timed for it. */
export function DryRunPart({ request, onShown, isWrong }: DryRunProps) {
  const text = JSON.stringify(request);
  const now = useRef(text);
  const [found, setFound] = useState<{ readonly of: string; readonly result: DryRunResult } | undefined>(
    undefined,
  );
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    now.current = text;
    setProblem('');
  }, [text]);
  const shown = found?.of === text ? found.result : undefined;
  useEffect(() => onShown(shown === undefined ? undefined : text), [shown, text]);
  const ask = (): void => {
    setBusy(true);
    setProblem('');
    change('POST', '/api/jobs/dry-run', JSON.parse(text))
      .then(
        // the server of this page is the same build
        (result) => setFound({ of: text, result: result as DryRunResult }),
        (reason: unknown) => {
          if (now.current === text) setProblem(reason instanceof Error ? reason.message : String(reason));
        },
      )
      .finally(() => setBusy(false));
  };
  return (
    <div class="dry-run">
      <button type="button" class="quiet" disabled={isBusy || isWrong} onClick={ask}>
        Dry run
      </button>
      <div role="status">
        {isBusy && <p class="muted loading">Timing this machine for five seconds</p>}
        {problem !== '' && <Notice tone="bad">{problem}</Notice>}
        {shown !== undefined && <Cost result={shown} />}
      </div>
    </div>
  );
}

const between = (low: number, high: number): string =>
  low === high ? whole(low) : `${whole(low)} to ${whole(high)}`;

const hours = (value: number): string => `${number(value)} core-hours`;

function Cost({ result }: { readonly result: DryRunResult }) {
  const { rows, runs, left, coreHours, claims, jobs } = result;
  const hasParts = rows.some(({ part }) => part !== '');
  const wall = coreHours / Math.min(jobs, Math.max(1, left));
  return (
    <>
      <p>
        <b>{`${plural(runs, 'run')}, ${whole(left)} left: at most ${hours(coreHours)}`}</b>
        {`, ${durationText(wall * 3.6e6)} with ${jobs} at a time.`}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="What the sweep would do">
        <table>
          <thead>
            <tr>
              {hasParts && <th scope="col">part</th>}
              <th scope="col">arm</th>
              <th scope="col">runs</th>
              <th scope="col">left</th>
              <th scope="col">parameters</th>
              <th scope="col">steps</th>
              <th scope="col">core-hours</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.part} ${row.arm}`}>
                {hasParts && <td>{row.part}</td>}
                <th scope="row">{row.arm}</th>
                <td>{whole(row.runs)}</td>
                <td>{whole(row.left)}</td>
                <td>{between(row.fewestParameters, row.mostParameters)}</td>
                <td>{between(row.fewestSteps, row.mostSteps)}</td>
                <td>{number(row.coreHours)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {claims.length > 0 && (
        <ul class="reach">
          {claims.map(({ claim, reachable, why }) => (
            <li key={claim}>
              <b>{claim}</b>{' '}
              <span class={`badge ${reachable ? 'good' : 'warn'}`}>
                {reachable ? 'in reach' : 'not in reach'}
              </span>{' '}
              <span class="muted small">{why}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
