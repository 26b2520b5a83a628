/** One setting as a field of a form: what it is, what is allowed, and what it is when nothing is filled in. */
import type { FormField, JobForm } from '../../contract/jobs.js';

/** What was typed, by name; empty: nothing. */
export type Values = Readonly<Record<string, string>>;

export interface FieldsProps {
  readonly form: JobForm;
  readonly values: Values;
  readonly set: (name: string, value: string) => void;
}

interface FieldInputProps {
  readonly field: FormField;
  /** in words: of the preset, or of the table */
  readonly byDefault: string;
  /** empty: the default */
  readonly value: string;
  readonly set: (value: string) => void;
}

export function FieldInput({ field, byDefault, value, set }: FieldInputProps) {
  const { path, kind, of, help, flag, reason } = field;
  const id = `field-${flag}`;
  const described = `${id}-help`;
  const label = labelOf(path);
  const usual = `default: ${byDefault}`;
  const shared = { id, 'aria-describedby': described };
  return (
    <div class={kind === 'names' ? 'form-field wide' : 'form-field'}>
      {kind === 'names' ? (
        <Names
          label={label}
          id={id}
          described={described}
          of={of}
          byDefault={byDefault}
          value={value}
          set={set}
        />
      ) : (
        <label for={id}>{label}</label>
      )}
      {(kind === 'choice' || kind === 'boolean') && (
        <select {...shared} value={value} onChange={(event) => set(event.currentTarget.value)}>
          <option value="">{usual}</option>
          {(kind === 'boolean' ? ['true', 'false'] : of).map((one) => (
            <option key={one} value={one}>
              {kind === 'boolean' ? (one === 'true' ? 'yes' : 'no') : one}
            </option>
          ))}
        </select>
      )}
      {kind !== 'choice' && kind !== 'boolean' && kind !== 'names' && (
        <input
          {...shared}
          type="text"
          inputMode={kind === 'whole' ? 'numeric' : kind === 'number' ? 'decimal' : 'text'}
          autoComplete="off"
          spellcheck={false}
          value={value}
          placeholder={byDefault}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
      <p class="muted small" id={described} title={`default: ${byDefault}; ${reason}`}>
        {kind === 'boolean' || kind === 'choice' || kind === 'names'
          ? meaning(field)
          : `${help}; ${field.allowed}`}
      </p>
    </div>
  );
}

/** The help of a switch says what its flag does, which is the opposite of what the field is where it is on. */
function meaning({ help, kind, value, flag }: FormField): string {
  return kind === 'boolean' && (value === 'true' || flag.startsWith('no-')) ? `no: ${help}` : help;
}

interface NamesProps extends Omit<FieldInputProps, 'field'> {
  readonly label: string;
  readonly id: string;
  readonly described: string;
  readonly of: readonly string[];
}

/** Operations to tick. Nothing ticked: the default. */
function Names({ label, id, described, of, byDefault, value, set }: NamesProps) {
  const chosen = value === '' ? [] : value.split('+');
  const toggle = (name: string): void =>
    set(of.filter((one) => (one === name ? !chosen.includes(one) : chosen.includes(one))).join('+'));
  return (
    <fieldset id={id} aria-describedby={described}>
      <legend>{`${label}${value === '' ? ` (default: ${byDefault})` : ''}`}</legend>
      <div class="ticks">
        {of.map((name) => (
          <label key={name}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** `model.dModel`: `d model`; the flag stands in the command below. */
function labelOf(path: string): string {
  const name = path.slice(path.indexOf('.') + 1);
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

interface TextProps extends Pick<FieldsProps, 'values' | 'set'> {
  readonly name: string;
  readonly label: string;
  readonly help: string;
}

export function Text({ name, label, help, values, set }: TextProps) {
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
