/** Which one or two models answer, and at which step. */
import { useEffect, useState } from 'preact/hooks';
import { MOST_MODELS } from '../state.js';
import type { Library, ModelChoice } from './library.js';

interface PickerProps {
  readonly library: Library;
  readonly choices: readonly ModelChoice[];
  readonly names: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}

const PLACES = ['First model', 'Second model'] as const;

export function ModelPicker({ library, choices, names, onChange }: PickerProps) {
  // nothing to choose: a page with one checkpoint
  if (library.steps === undefined && choices.length < 2) return null;
  const unused = choices.find(({ key }) => !names.some((name) => runOf(name) === key)) ?? choices[0];
  return (
    <div class="pg-models">
      {names.map((name, place) => (
        <div class="pg-model-choice" key={place}>
          <Choice
            library={library}
            choices={choices}
            name={name}
            label={PLACES[place]}
            onChange={(next) => onChange(names.map((own, i) => (i === place ? next : own)))}
          />
          {names.length > 1 ? (
            <button type="button" onClick={() => onChange(names.filter((_, i) => i !== place))}>
              Remove<span class="pg-hidden"> the {PLACES[place].toLowerCase()}</span>
            </button>
          ) : null}
        </div>
      ))}
      {names.length < MOST_MODELS && unused !== undefined ? (
        <button type="button" onClick={() => onChange([...names, unused.key])}>
          Compare with a second model
        </button>
      ) : null}
    </div>
  );
}

/** `run@64` -> `run`; a key of one checkpoint is itself. */
function runOf(name: string): string {
  return /^(.*)@\d+$/.exec(name)?.[1] ?? name;
}

interface ChoiceProps {
  readonly library: Library;
  readonly choices: readonly ModelChoice[];
  readonly name: string;
  readonly label: string;
  readonly onChange: (name: string) => void;
}

function Choice({ library, choices, name, label, onChange }: ChoiceProps) {
  const { steps: stepsOf } = library;
  const run = stepsOf === undefined ? name : runOf(name);
  const [steps, setSteps] = useState<readonly number[]>([]);
  useEffect(() => {
    let isWanted = true;
    setSteps([]);
    stepsOf?.(run).then(
      (found) => isWanted && setSteps(found),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [run, stepsOf]);
  const step = /@(\d+)$/.exec(name)?.[1];
  const known = choices.some(({ key }) => key === run);
  return (
    <>
      <label>
        <span>{label}</span>
        <select value={run} onChange={(event) => onChange(event.currentTarget.value)}>
          {known ? null : <option value={run}>{run}</option>}
          {choices.map(({ key, label: text }) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {stepsOf === undefined ? null : (
        <label>
          <span>Step</span>
          <select
            value={step ?? String(steps.at(-1) ?? '')}
            onChange={(event) => onChange(`${run}@${event.currentTarget.value}`)}
          >
            {steps.map((own) => (
              <option key={own} value={String(own)}>
                {own}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}
