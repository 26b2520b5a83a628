/**
 * Checkpoints that another program published, one folder or file a step: `step1000/model.safetensors`, `step1000.safetensors`,
 * what `sumlens export` writes. Nothing tells what their hashes should be, so they are compared with each other.
 */
import { basename, dirname, join } from 'node:path';
import { decodeForeign, findExchange, isPickleName } from '../../checkpoint/exchange/find.js';
import { ORIGIN_FILE, parseOrigin } from '../../checkpoint/exchange/origin.js';
import { finding, type Finding } from '../../checkpoint/finding.js';
import { isDirectory, listDirectory, readBytes } from '../../io/files.js';
import { sha256Hex } from '../../io/sha256.js';
import { compareSteps } from './compare-steps.js';
import { type StepPrint, StepPrinter } from './step-print.js';

/** One step of a training as it was published. */
export interface PublishedStep {
  /** what its name is without the number: steps of one group belong together */
  readonly group: string;
  readonly step: number;
  /** folder, or file of weights */
  readonly path: string;
  readonly files: readonly string[];
}

const STEP = /(?:^|[^a-z])(?:global[-_]?step|step|checkpoint|ckpt|iter|iteration)[-_]?(\d{1,15})(?!\d)/i;
const isWeights = (name: string): boolean => name.endsWith('.safetensors') || isPickleName(name);

/** The entry of a folder as a step; undefined when it is none. */
export function publishedStep(path: string): PublishedStep | undefined {
  const name = basename(path);
  if (!isDirectory(path)) return isWeights(name) ? numbered(path, [path]) : undefined;
  const names = listDirectory(path);
  const files = names.filter(isWeights).map((file) => join(path, file));
  if (files.length === 0) return undefined;
  if (names.includes(ORIGIN_FILE)) {
    try {
      const { run, step, to } = parseOrigin(readBytes(join(path, ORIGIN_FILE)), ORIGIN_FILE);
      return { group: `${dirname(path)} ${run} ${to}`, step, path, files };
    } catch {
      // the name may tell as well
    }
  }
  return numbered(path, files);
}

function numbered(path: string, files: readonly string[]): PublishedStep | undefined {
  const name = basename(path);
  const found = STEP.exec(name) ?? /^(\d{1,15})(?=\.|$)/.exec(name);
  if (found === null) return undefined;
  const rest = name.slice(0, found.index) + name.slice(found.index + found[0].length);
  return { group: `${dirname(path)} ${rest.replace(/\d+/g, '#')}`, step: Number(found[1]), path, files };
}

export interface VerifiedSteps {
  readonly findings: readonly Finding[];
  readonly prints: readonly StepPrint[];
  /** files read and hashed */
  readonly files: number;
}

/** @param steps - of one group, in any order */
export function verifyPublished(steps: readonly PublishedStep[]): VerifiedSteps {
  const findings: Finding[] = [];
  const printer = new StepPrinter();
  const ordered = [...steps].sort((a, b) => a.step - b.step || (a.path < b.path ? -1 : 1));
  const prints = ordered.map((published) => printOf(published, printer, (found) => findings.push(found)));
  ordered.forEach(({ step, path }, i) => {
    if (i === 0 || ordered[i - 1].step !== step) return;
    findings.push(
      finding('stray', path, {
        step,
        problem: `is step ${step}, and so is ${ordered[i - 1].path}: expected one of each.`,
        remedy: 'Verify them in folders of their own.',
      }),
    );
  });
  const where = dirname(ordered[0].path);
  return {
    findings: [...findings, ...compareSteps(prints, where, 'error')],
    prints,
    files: steps.reduce((sum, { files }) => sum + files.length, 0),
  };
}

function printOf(
  { step, path, files }: PublishedStep,
  printer: StepPrinter,
  add: (found: Finding) => void,
): StepPrint {
  const shas = files.map((file) => `${basename(file)} ${sha256Hex(readBytes(file))}`);
  const at = { step, path, filesSha256: sha256Hex(shas.map((line) => line.split(' ')[1]).join('\n')) };
  if (files.every(isPickleName)) {
    add(
      finding('unreadable', path, {
        step,
        level: 'note',
        problem:
          'is a pickle, which can run code when it is read, expected safetensors: compared by its hash alone.',
        remedy: 'Convert it to safetensors to have its numbers compared.',
      }),
    );
    return at;
  }
  try {
    const source = isDirectory(path) ? findExchange(path) : { weights: path, parts: [path] };
    const print = printer.print(at, decodeForeign(source).tensors.values());
    // a sketch holds a sum of all numbers
    if (!print.weights.sketch.every(Number.isFinite)) {
      const problem = `step ${step} holds numbers that are not finite, expected none.`;
      add(finding('not-finite', path, { step, problem, remedy: 'Fetch the weights of this step again.' }));
    }
    return print;
  } catch (error) {
    add(
      finding('unreadable', path, {
        step,
        problem: error,
        remedy: 'Its hash alone was compared with the other steps.',
      }),
    );
    return at;
  }
}
