/**
 * The clock of a training run: when to let other events in, when to save, when to report, and how fast it goes. Nothing
 * that it measures reaches metrics.jsonl or a checkpoint's bytes.
 */

/** What a run tells whoever started it, a few times a second. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  /** of the last update's batch */
  readonly lossNats: number;
  /** result tokens of trained prompts at the last evaluation, by operation; empty before the first */
  readonly accuracy: Readonly<Record<string, number>>;
  readonly tokensPerSecond: number;
  /** time to the last step at this rate */
  readonly etaMs: number;
  /** once, before a slow engine starts: time that all updates will take, without evaluations */
  readonly estimateMs?: number;
}

/** Of a run that has told nothing yet. */
export const EMPTY_PROGRESS: Omit<TrainProgress, 'steps'> = {
  step: 0,
  lossNats: NaN,
  accuracy: {},
  tokensPerSecond: 0,
  etaMs: NaN,
};

/** Longest time between two turns of the event loop: signals and messages are seen that soon. */
export const BREATHE_EVERY_MS = 25;
export const RESUME_EVERY_MS = 30_000;
export const REPORT_EVERY_MS = 500;

export interface PaceOptions {
  readonly steps: number;
  readonly startStep: number;
  readonly resumeEveryMs?: number | undefined;
  /** monotonic milliseconds; default performance.now */
  readonly clock?: () => number;
}

export class Pace {
  accuracy: Readonly<Record<string, number>> = {};
  private readonly clock: () => number;
  private readonly began: number;
  private readonly resumeEveryMs: number;
  private lastBreath: number;
  private lastResume: number;
  private lastReport: number;
  private step: number;
  private tokens = 0;
  private lossNats = NaN;

  constructor(private readonly options: PaceOptions) {
    this.clock = options.clock ?? (() => performance.now());
    this.resumeEveryMs = options.resumeEveryMs ?? RESUME_EVERY_MS;
    this.began = this.clock();
    this.lastBreath = this.began;
    this.lastResume = this.began;
    this.lastReport = this.began;
    this.step = options.startStep;
  }

  /** One update is done. */
  update(step: number, tokens: number, lossNats: number): void {
    this.step = step;
    this.tokens += tokens;
    this.lossNats = lossNats;
  }

  /** Lets signals, timers and messages in when the last time was long ago. A bare await would not. */
  async breathe(): Promise<void> {
    if (this.clock() - this.lastBreath < BREATHE_EVERY_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.lastBreath = this.clock();
  }

  /** True once every `resumeEveryMs`. */
  resumeIsDue(): boolean {
    const now = this.clock();
    if (now - this.lastResume < this.resumeEveryMs) return false;
    this.lastResume = now;
    return true;
  }

  /** True a few times a second. */
  reportIsDue(): boolean {
    const now = this.clock();
    if (now - this.lastReport < REPORT_EVERY_MS) return false;
    this.lastReport = now;
    return true;
  }

  elapsedMs(): number {
    return this.clock() - this.began;
  }

  /** Input tokens trained on per second since the start of this session, evaluations and checkpoints included. */
  tokensPerSecond(): number {
    return this.tokens / Math.max(1e-3, this.elapsedMs() / 1000);
  }

  progress(): TrainProgress {
    const { steps, startStep } = this.options;
    const done = Math.max(1, this.step - startStep);
    return {
      step: this.step,
      steps,
      lossNats: this.lossNats,
      accuracy: this.accuracy,
      tokensPerSecond: this.tokensPerSecond(),
      etaMs: (this.elapsedMs() / done) * (steps - this.step),
    };
  }
}
