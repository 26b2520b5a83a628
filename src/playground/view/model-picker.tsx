/** Which one or two models answer, and at which step. */
import { useEffect, useState } from 'preact/hooks';
import { MOST_MODELS } from '../state.js';
import type { FoundModels, Library, ModelChoice } from './library.js';

interface PickerProps {
  readonly library: Library;
  readonly choices: readonly ModelChoice[];
  readonly names: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}

const PLACES = ['First model', 'Second model'] as const;

export function ModelPicker({ library, choices, names, onChange }: PickerProps) {
  const [text, setText] = useState('');
  const found = useFound(library, choices, text);
  // nothing to choose: a page with one checkpoint
  if (library.steps === undefined && choices.length < 2) return null;
  const unused = choices.find(({ key }) => !names.some((name) => runOf(name) === key)) ?? choices[0];
  return (
    <div class="pg-models">
      {found === undefined || (text === '' && found.total < MANY_CHOICES) ? null : (
        <Finder found={found} text={text} onText={setText} />
      )}
      {names.map((name, place) => (
        <div class="pg-model-choice" key={place}>
          <Choice
            library={library}
            choices={found?.choices ?? choices}
            labels={choices}
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

/** From so many on a list is searched rather than read. */
const MANY_CHOICES = 9;

/** What the search finds; undefined: there is none, or no answer yet. What was found last stays until then. */
function useFound(library: Library, choices: readonly ModelChoice[], text: string): FoundModels | undefined {
  const [found, setFound] = useState<FoundModels>();
  useEffect(() => {
    let isWanted = true;
    library.find?.(text).then(
      (own) => isWanted && setFound(own),
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [library, choices, text]);
  return found;
}

interface FinderProps {
  readonly found: FoundModels;
  readonly text: string;
  readonly onText: (text: string) => void;
}

function Finder({ found: { choices, found, total, problems }, text, onText }: FinderProps) {
  return (
    <div class="pg-finder">
      <label>
        <span>Find runs</span>
        <input
          type="search"
          value={text}
          placeholder="dModel>=32 tasks:SUM, or a name"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-describedby="pg-found"
          onInput={(event) => onText(event.currentTarget.value)}
        />
      </label>
      <p id="pg-found" class="pg-note" role="status">
        {text.trim() === '' ? `${total} runs` : `${found} of ${total} runs`}
        {found > choices.length ? `, the first ${choices.length} in the lists: type more` : ''}
        {problems.map((problem) => ` ${problem}`)}
      </p>
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
  /** names of more */
  readonly labels: readonly ModelChoice[];
  readonly name: string;
  readonly label: string;
  readonly onChange: (name: string) => void;
}

function Choice({ library, choices, labels, name, label, onChange }: ChoiceProps) {
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
          {known ? null : <option value={run}>{labels.find(({ key }) => key === run)?.label ?? run}</option>}
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
