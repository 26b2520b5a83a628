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
import { FieldInput } from './job-field.js';
import { Loading, Notice } from './states.js';

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

type Values = Readonly<Record<string, string>>;

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
  return (
    <>
      {kind === 'train' && <TrainFields form={form} values={values} set={set} />}
      {kind === 'preset' && <PresetFields form={form} values={values} set={set} />}
      {kind === 'probe' && <ProbeFields form={form} values={values} set={set} />}
      {kind === 'sweep' && <SweepFields form={form} values={values} set={set} />}
      <Start request={request} />
    </>
  );
}

interface FieldsProps {
  readonly form: JobForm;
  readonly values: Values;
  readonly set: (name: string, value: string) => void;
}

function startOf(kind: Kind, form: JobForm, query: Readonly<Record<string, string>>): Values {
  if (kind === 'preset') return { preset: query['preset'] ?? 'quick' };
  if (kind === 'probe') return { module: 'all', checkpoints: query['checkpoints'] ?? '' };
  if (kind === 'sweep') return { plan: query['plan'] ?? form.plans[0]?.name ?? '' };
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
    case 'sweep':
      return { kind, plan: values['plan'] ?? '', size: given('size'), stopAfter: numberOf('stopAfter') };
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

function SweepFields({ form, values, set }: FieldsProps) {
  const plan = form.plans.find(({ name }) => name === values['plan']);
  return (
    <div class="form-fields">
      <div class="form-field">
        <label for="plan">Plan</label>
        <select id="plan" value={values['plan']} onChange={(event) => set('plan', event.currentTarget.value)}>
          {form.plans.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <p class="muted small">{plan?.description}</p>
      </div>
      {plan !== undefined && plan.sizes.length > 0 && (
        <div class="form-field">
          <label for="size">Size</label>
          <select
            id="size"
            value={values['size'] ?? ''}
            onChange={(event) => set('size', event.currentTarget.value)}
          >
            <option value="">{`default: ${plan.sizes[0]}`}</option>
            {plan.sizes.map((size) => (
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
    </div>
  );
}

interface TextProps extends Pick<FieldsProps, 'values' | 'set'> {
  readonly name: string;
  readonly label: string;
  readonly help: string;
}

function Text({ name, label, help, values, set }: TextProps) {
  return (
    <div class="form-field">
      <label for={name}>{label}</label>
      <input
        id={name}
        type="text"
        value={values[name] ?? ''}
        aria-describedby={`${name}-help`}
        onInput={(event) => set(name, event.currentTarget.value)}
      />
      <p class="muted small" id={`${name}-help`}>
        {help}
      </p>
    </div>
  );
}

/** What the request comes to, in the server's words, and the button. */
function Start({ request }: { readonly request: JobRequest | undefined }) {
  const [check, setCheck] = useState<JobCheck | undefined>(undefined);
  const [problem, setProblem] = useState('');
  const [started, setStarted] = useState('');
  const [isBusy, setBusy] = useState(false);
  const text = request === undefined ? '' : JSON.stringify(request);
  useEffect(() => {
    setStarted('');
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
  const start = (event: Event): void => {
    event.preventDefault();
    if (text === '' || isBusy) return;
    setBusy(true);
    change('POST', '/api/jobs', JSON.parse(text))
      .then(
        (job) => {
          setProblem('');
          setStarted(`Asked for: ${(job as JobSummary).title}.`);
        },
        (reason: unknown) => setProblem(reason instanceof Error ? reason.message : String(reason)),
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
      <button type="button" class="primary" disabled={check === undefined || isBusy} onClick={start}>
        Start
      </button>
    </div>
  );
}
