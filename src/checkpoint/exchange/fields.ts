/** Reads fields of another program's JSON configuration: each complaint names file, field, value and what is allowed. */
import { UserError, unacceptable, printable } from '../../errors.js';
import { parseJsonStrict } from '../../io/json.js';

/** Longest configuration or vocabulary that is read. */
export const MOST_JSON_BYTES = 4 * 1024 * 1024;

export class Fields {
  private constructor(
    readonly where: string,
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  /** @throws UserError when it is not a JSON object */
  static parse(source: Uint8Array | string, where: string): Fields {
    const json = parseJsonStrict(source, { where, maxLength: MOST_JSON_BYTES, maxValues: 500_000 });
    return Fields.of(json, where);
  }

  /** @throws UserError when it is not a plain object */
  static of(json: unknown, where: string): Fields {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new UserError(`${printable(where, 300)}: expected an object of named fields.`);
    }
    return new Fields(where, json as Readonly<Record<string, unknown>>);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name) && this.values[name] !== null;
  }

  get(name: string): unknown {
    return Object.hasOwn(this.values, name) ? this.values[name] : undefined;
  }

  names(): string[] {
    return Object.keys(this.values);
  }

  /** `config.json, n_layer` */
  place(name: string): string {
    return `${printable(this.where, 300)}, ${printable(name)}`;
  }

  object(name: string): Fields | undefined {
    return this.has(name) ? Fields.of(this.values[name], this.place(name)) : undefined;
  }

  whole(name: string): { value: number; from: string } | undefined {
    if (!this.has(name)) return undefined;
    const value = this.values[name];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1e9) {
      throw unacceptable(this.place(name), value, 'a whole number above 0');
    }
    return { value, from: this.place(name) };
  }

  boolean(name: string): { value: boolean; from: string } | undefined {
    if (!this.has(name)) return undefined;
    const value = this.values[name];
    if (typeof value !== 'boolean') throw unacceptable(this.place(name), value, 'true or false');
    return { value, from: this.place(name) };
  }

  /** One of a few words. @param remedy - what to do about another one */
  choice<T extends string>(
    name: string,
    allowed: readonly T[],
    remedy?: string,
  ): { value: T; from: string } | undefined {
    if (!this.has(name)) return undefined;
    const found = allowed.find((word) => word === this.values[name]);
    if (found === undefined) {
      throw unacceptable(this.place(name), this.values[name], allowed.join(' or '), remedy);
    }
    return { value: found, from: this.place(name) };
  }

  /** A setting that our model has in one form only; absent: the other program's default, which is that form. */
  only(name: string, allowed: readonly (string | number | boolean)[], remedy?: string): void {
    if (!this.has(name) || allowed.some((value) => value === this.values[name])) return;
    throw unacceptable(
      this.place(name),
      this.values[name],
      allowed.map((value) => JSON.stringify(value)).join(' or '),
      remedy ?? 'The models of sumlens have no such setting.',
    );
  }
}
