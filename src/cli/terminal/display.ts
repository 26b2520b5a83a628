/**
 * Progress of long work on stderr. On a terminal a block of lines is redrawn in place; elsewhere one plain line at most
 * every ten seconds, so that a log stays readable. A program that starts the command line and gives it a pipe with
 * SUMLENS_PROGRESS_FD gets a line of JSON twice a second.
 */
import { fileSystem } from '../../io/files.js';
import { canonicalJson } from '../../io/json.js';
import type { ProbeProgress } from '../../workflows/probing/probe-checkpoints.js';

/** How far the work is. */
export interface Share {
  /** in [0, 1] */
  readonly share: number;
  readonly etaMs?: number | undefined;
}

export interface Display {
  /** shows the newest state; `block` is called only when it will be drawn, its first line is the plain one */
  update(block: () => readonly string[], share?: () => Share): void;
  /** a line that stays */
  log(line: string): void;
  /** takes the block away */
  end(): void;
}

const REDRAW_MS = 150;
const PLAIN_MS = 10_000;
const PIPE_MS = 500;

export function createDisplay(quiet: boolean, stream: NodeJS.WriteStream = process.stderr): Display {
  let drawn = 0;
  let last = -Infinity;
  const tell = progressPipe();
  const erase = (): void => {
    if (drawn > 0) stream.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  return {
    update(block, share) {
      tell(block, share);
      const now = performance.now();
      if (quiet || now - last < (stream.isTTY ? REDRAW_MS : PLAIN_MS)) return;
      last = now;
      const lines = block();
      if (!stream.isTTY) {
        stream.write(`${lines[0]}\n`);
        return;
      }
      erase();
      const width = Math.max(20, (stream.columns || 80) - 1);
      const shown = lines.slice(0, Math.max(1, (stream.rows || 24) - 2)).map((line) => cut(line, width));
      stream.write(`${shown.join('\n')}\n`);
      drawn = shown.length;
    },
    log(line) {
      erase();
      if (!quiet) stream.write(`${line}\n`);
    },
    end() {
      erase();
      last = -Infinity;
    },
  };
}

/** Tells the program that started this one, where it wants to know. */
function progressPipe(): (block: () => readonly string[], share?: () => Share) => void {
  const given = process.env['SUMLENS_PROGRESS_FD'];
  if (given === undefined || !/^[3-9]$/.test(given)) return () => undefined;
  let last = -Infinity;
  return (block, share) => {
    const now = performance.now();
    if (share === undefined || now - last < PIPE_MS) return;
    last = now;
    const { share: done, etaMs } = share();
    const [text = ''] = block();
    const line = canonicalJson({
      share: Math.min(1, Math.max(0, done)),
      text: text
        .replace(COLOR_OR_CHARACTER, (part, escape?: string) => (escape === undefined ? part : ''))
        .replace(BAR, ''),
      etaMs: etaMs === undefined || !Number.isFinite(etaMs) ? null : Math.max(0, etaMs),
    });
    const bytes = new TextEncoder().encode(`${line}\n`);
    try {
      fileSystem().writeSync(Number(given), bytes, 0, bytes.length);
    } catch {
      // whoever wanted to know has gone, or does not read: the work goes on
    }
  };
}

/** What a bar and its per cent say, the share says too. */
const BAR = /^\[[#-]*\] /;

const ESCAPE = '\u001b';
const COLOR_OR_CHARACTER = new RegExp(`(${ESCAPE}\\[[0-9;]*m)|.`, 'gsu');

/** The first characters of a line; what only sets a colour takes no room, and none is left on. */
function cut(line: string, width: number): string {
  let left = width;
  return line.replace(COLOR_OR_CHARACTER, (part, escape: string | undefined) =>
    escape !== undefined || left-- > 0 ? part : '',
  );
}

/** `probing 3 of 20: parity-probe, sum-1@64, 45 % of it` */
export function probingLine({ module, subject, done, total, share }: ProbeProgress): string {
  const part = share < 1 ? `, ${Math.floor(100 * share)} % of it` : '';
  return `probing ${done} of ${total}: ${module}, ${subject}${part}`;
}

/** How far measurements are, with the time left by the pace so far; what was known before is no part of the pace. */
export function measuringPace(): (progress: ProbeProgress) => Share {
  const begun = performance.now();
  let known: number | undefined;
  return ({ done, total, share }) => {
    // the first message comes while the first measurement is made, or when it is
    known ??= share === 1 ? done - 1 : done;
    const at = done + (share === 1 ? 0 : share);
    const [own, left] = [at - known, total - at];
    const etaMs = own > 0 && left > 0 ? ((performance.now() - begun) / own) * left : undefined;
    return { share: total === 0 ? 1 : at / total, etaMs };
  };
}

/** `[######----]`; share in [0, 1] */
export function bar(share: number, width = 24): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}

/** `1:05` or `12 s` */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '?';
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return minutes < 60
    ? `${minutes}:${String(rest).padStart(2, '0')}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

const LEVELS = ' .:-=+*#%@';

/** One character a value in [0, 1], the newest last, such as accuracies over steps. */
export function sparkline(values: readonly number[], width = 20): string {
  return values
    .slice(-width)
    .map((value) => LEVELS[Math.round(Math.min(1, Math.max(0, value)) * (LEVELS.length - 1))])
    .join('');
}
