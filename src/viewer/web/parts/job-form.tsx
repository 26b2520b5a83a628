/** The form of a job. Its fields are rows of the table of settings; what it comes to is asked of the server as one types. */
import { useEffect, useState } from 'preact/hooks';
import type {
  FormField,
  FormPreset,
  JobCheck,
  JobForm,
  JobRequest,
  JobSummary,
} from '../../contract/jobs.js';
import { change, jobFormResource } from '../api.js';
import { plural } from '../format.js';
import { useOnce } from '../resource.js';
import { place, setQuery } from '../router.js';
import { FieldInput, type FieldsProps, Text, type Values } from './job-field.js';
import { Loading, Notice } from './states.js';
import { DryRunPart, FIRST_PLAN, OWN_PLAN, SweepFields } from './sweep-form.js';

const KINDS = [
  { kind: 'train', text: 'Train a run' },
  { kind: 'preset', text: 'Train a preset' },
  { kind: 'probe', text: 'Run modules' },
  { kind: 'sweep', text: 'Start a sweep' },
] as const;
type Kind = (typeof KINDS)[number]['kind'];

/** Settings that nearly every run is about; the others unfold. */
const FIRST_FIELDS = [
  'data.tasks',
  'data.regime',
  'data.depth',
  'model.dModel',
  'model.nLayers',
  'optimizer.learningRate',
  'training.steps',
  'seed',
];
const SECTION_TITLES: Readonly<Record<string, string>> = {
  data: 'Data',
  model: 'Model',
  optimizer: 'Optimizer',
  training: 'Training',
};

const CHECK_MS = 350;

export function JobFormView() {
  useOnce(jobFormResource);
  const form = jobFormResource.data.value;
  const { query } = place.value;
  const kind = KINDS.find((one) => one.kind === query['kind'])?.kind ?? 'train';
  return (
    <section class="card job-form" aria-labelledby="start-title">
      <h2 id="start-title">Start a job</h2>
      <div class="tabs" role="group" aria-label="Kind of job">
        {KINDS.map((one) => (
          <button
            key={one.kind}
            type="button"
            class="quiet"
            aria-pressed={one.kind === kind}
            onClick={() => setQuery({ kind: one.kind === 'train' ? undefined : one.kind })}
          >
            {one.text}
          </button>
        ))}
      </div>
      {form === undefined ? <Loading /> : <KindForm key={kind} kind={kind} form={form} />}
    </section>
  );
}

/** One of each kind, so that what was typed in one does not reach another. */
function KindForm({ kind, form }: { readonly kind: Kind; readonly form: JobForm }) {
  const { query } = place.value;
  const [values, setValues] = useState<Values>(() => startOf(kind, form, query));
  const set = (name: string, value: string): void => setValues((before) => ({ ...before, [name]: value }));
  const request = requestOf(kind, values);
  const { check, problem, setProblem } = useCheck(request);
  /** the request whose dry run is shown */
  const [shown, setShown] = useState<string | undefined>(undefined);
  const isOwn = kind === 'sweep' && values['plan'] === OWN_PLAN;
  const isUnseen = isOwn && (shown === undefined || shown !== JSON.stringify(request));
  return (
    <>
      {kind === 'train' && <TrainFields form={form} values={values} set={set} />}
      {kind === 'preset' && <PresetFields form={form} values={values} set={set} />}
      {kind === 'probe' && <ProbeFields form={form} values={values} set={set} />}
      {kind === 'sweep' && (
        <SweepFields form={form} values={values} set={set} problem={isOwn ? problem : ''} />
      )}
      {kind === 'sweep' && request !== undefined && (
        <DryRunPart request={request} onShown={setShown} isWrong={check === undefined} />
      )}
      <Start
        request={request}
        check={check}
        problem={isOwn ? '' : problem}
        onRefused={setProblem}
        wait={isUnseen ? 'Look at the dry run first: it says what the plan would cost.' : ''}
      />
    </>
  );
}

function startOf(kind: Kind, form: JobForm, query: Readonly<Record<string, string>>): Values {
  if (kind === 'preset') return { preset: query['preset'] ?? 'quick' };
  if (kind === 'probe') return { module: 'all', checkpoints: query['checkpoints'] ?? '' };
  if (kind === 'sweep') return { plan: query['plan'] ?? form.plans[0]?.name ?? '', text: FIRST_PLAN };
  return { preset: query['preset'] ?? '' };
}

/** undefined: not enough is filled in to ask */
function requestOf(kind: Kind, values: Values): JobRequest | undefined {
  const given = (name: string): string | undefined => values[name]?.trim() || undefined;
  const numberOf = (name: string): number | undefined =>
    given(name) === undefined ? undefined : Number(given(name));
  switch (kind) {
    case 'train': {
      const fields = Object.entries(values).filter(
        ([name, value]) => name !== 'preset' && value.trim() !== '',
      );
      return { kind, preset: given('preset'), fields: Object.fromEntries(fields) };
    }
    case 'preset':
      return { kind, preset: values['preset'] ?? '', steps: numberOf('steps') };
    case 'probe': {
      const checkpoints = (values['checkpoints'] ?? '').split(/\s+/).filter((text) => text !== '');
      if (checkpoints.length === 0) return undefined;
      const series = values['series'] === 'true' || undefined;
      return { kind, module: values['module'] ?? 'all', checkpoints, name: given('name'), series };
    }
    case 'sweep': {
      const more = { size: given('size'), stopAfter: numberOf('stopAfter') };
      if (values['plan'] !== OWN_PLAN) return { kind, plan: values['plan'] ?? '', ...more };
      return given('text') === undefined ? undefined : { kind, text: values['text'], ...more };
    }
  }
}

function TrainFields({ form, values, set }: FieldsProps) {
  const preset = form.presets.find(({ name }) => name === values['preset']);
  const first = FIRST_FIELDS.flatMap((path) => form.fields.filter((field) => field.path === path));
  const others = form.fields.filter(({ path }) => !FIRST_FIELDS.includes(path));
  const input = (field: FormField) => (
    <FieldInput
      key={field.path}
      field={field}
      byDefault={preset?.fields[field.path] ?? field.byDefault}
      value={values[field.path] ?? ''}
      set={(value) => set(field.path, value)}
    />
  );
  return (
    <>
      <div class="form-fields">
        <PresetChoice
          form={form}
          values={values}
          set={set}
          none="none: the defaults"
          label="Begin with a preset"
        />
        {first.map(input)}
      </div>
      {Object.entries(SECTION_TITLES).map(([section, title]) => {
        const own = others.filter(({ path }) => path.startsWith(`${section}.`));
        const changed = own.filter(({ path }) => (values[path] ?? '') !== '').length;
        return (
          <details key={section}>
            <summary>{`${title}: ${plural(own.length, 'more setting')}${changed > 0 ? `, ${changed} set` : ''}`}</summary>
            <div class="form-fields">{own.map(input)}</div>
          </details>
        );
      })}
    </>
  );
}

interface PresetChoiceProps extends FieldsProps {
  readonly label: string;
  /** text of no preset; absent: one must be chosen */
  readonly none?: string;
}

function PresetChoice({ form, values, set, label, none }: PresetChoiceProps) {
  const preset = form.presets.find(({ name }) => name === values['preset']);
  return (
    <div class="form-field">
      <label for="preset">{label}</label>
      <select
        id="preset"
        value={values['preset'] ?? ''}
        onChange={(event) => set('preset', event.currentTarget.value)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {form.presets.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <p class="muted small">
        {preset === undefined ? 'What its runs have in common becomes the default.' : about(preset)}
      </p>
    </div>
  );
}

const about = ({ description, runs }: FormPreset): string => `${plural(runs, 'run')}. ${description}`;

function PresetFields({ form, values, set }: FieldsProps) {
  return (
    <div class="form-fields">
      <PresetChoice form={form} values={values} set={set} label="Preset" />
      <Text
        name="steps"
        label="Updates of every run"
        help="empty: those of the preset"
        values={values}
        set={set}
      />
    </div>
  );
}

function ProbeFields({ form, values, set }: FieldsProps) {
  const module = form.modules.find(({ name }) => name === values['module']);
  return (
    <div class="form-fields">
      <div class="form-field">
        <label for="module">Module</label>
        <select
          id="module"
          value={values['module']}
          onChange={(event) => set('module', event.currentTarget.value)}
        >
          <option value="all">all</option>
          {form.modules.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
        <p class="muted small">{module?.question ?? 'Every module of the main job.'}</p>
      </div>
      <div class="form-field wide">
        <label for="checkpoints">Checkpoints</label>
        <textarea
          id="checkpoints"
          rows={3}
          spellcheck={false}
          value={values['checkpoints'] ?? ''}
          aria-describedby="checkpoints-help"
          onInput={(event) => set('checkpoints', event.currentTarget.value)}
        />
        <p class="muted small" id="checkpoints-help">
          One a line: a run, run@step,step, run@all or run@final.
        </p>
      </div>
      <Text
        name="name"
        label="Name of the report"
        help="empty: the name of the module"
        values={values}
        set={set}
      />
      <div class="form-field">
        <label for="series">Many steps of a run</label>
        <select
          id="series"
          value={values['series'] ?? ''}
          onChange={(event) => set('series', event.currentTarget.value)}
        >
          <option value="">no</option>
          <option value="true">yes: cheaper options</option>
        </select>
      </div>
    </div>
  );
}

interface Checked {
  /** undefined: not known yet, or not acceptable */
  readonly check: JobCheck | undefined;
  /** the server's words */
  readonly problem: string;
  readonly setProblem: (problem: string) => void;
}

/** What a request comes to, asked of the server as one types. */
function useCheck(request: JobRequest | undefined): Checked {
  const [check, setCheck] = useState<JobCheck | undefined>(undefined);
  const [problem, setProblem] = useState('');
  const text = request === undefined ? '' : JSON.stringify(request);
  useEffect(() => {
    if (text === '') {
      setCheck(undefined);
      setProblem('');
      return undefined;
    }
    let isOver = false;
    const timer = window.setTimeout(() => {
      change('POST', '/api/jobs/check', JSON.parse(text)).then(
        (found) => {
          if (isOver) return;
          // the server of this page is the same build: its answer has the type of the contract
          setCheck(found as JobCheck);
          setProblem('');
        },
        (reason: unknown) => {
          if (isOver) return;
          setCheck(undefined);
          setProblem(reason instanceof Error ? reason.message : String(reason));
        },
      );
    }, CHECK_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [text]);
  return { check, problem, setProblem };
}

interface StartProps {
  readonly request: JobRequest | undefined;
  readonly check: JobCheck | undefined;
  /** shown here; empty: none, or shown beside what it is about */
  readonly problem: string;
  readonly onRefused: (problem: string) => void;
  /** why it cannot be started yet; empty: it can */
  readonly wait: string;
}

/** What the request comes to, in the server's words, and the button. */
function Start({ request, check, problem, onRefused, wait }: StartProps) {
  const [started, setStarted] = useState('');
  const [isBusy, setBusy] = useState(false);
  const text = request === undefined ? '' : JSON.stringify(request);
  useEffect(() => setStarted(''), [text]);
  const start = (event: Event): void => {
    event.preventDefault();
    if (text === '' || isBusy) return;
    setBusy(true);
    change('POST', '/api/jobs', JSON.parse(text))
      .then(
        (job) => setStarted(`Asked for: ${(job as JobSummary).title}.`),
        (reason: unknown) => onRefused(reason instanceof Error ? reason.message : String(reason)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <div class="job-start">
      <div role="status">
        {problem !== '' && <Notice tone="bad">{problem}</Notice>}
        {check !== undefined && problem === '' && (
          <>
            {check.notes.map((note) => (
              <Notice key={note} tone="warn">
                {note}
              </Notice>
            ))}
            <p class="job-command">
              <code>{check.command}</code>
            </p>
          </>
        )}
        {started !== '' && <Notice tone="good">{started}</Notice>}
      </div>
      {wait !== '' && <p class="muted small">{wait}</p>}
      <button
        type="button"
        class="primary"
        disabled={check === undefined || isBusy || wait !== ''}
        onClick={start}
      >
        Start
      </button>
    </div>
  );
}
