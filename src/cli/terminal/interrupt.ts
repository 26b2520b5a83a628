/**
 * Turns SIGINT, SIGTERM and SIGHUP into an AbortSignal. Children get the signal from src/jobs; a second Ctrl-C ends at once.
 */
const REPEAT_MS = 1000;

/** 128 and the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** the signal that came, and its exit code */
  exitCode(): number;
  release(): void;
}

export function interruptSignal(): Interrupt {
  const controller = new AbortController();
  let code: number = EXIT_CODES.SIGINT;
  let firstAt = -Infinity;
  const on = (signal: keyof typeof EXIT_CODES): void => {
    const now = performance.now();
    if (controller.signal.aborted && now - firstAt > REPEAT_MS) process.exit(code);
    if (controller.signal.aborted) return;
    firstAt = now;
    code = EXIT_CODES[signal];
    process.exitCode = code;
    controller.abort();
  };
  const onInterrupt = (): void => on('SIGINT');
  const onTerminate = (): void => on('SIGTERM');
  const onHangup = (): void => {
    on('SIGHUP');
    // a closed terminal is a request to stop: whoever passes SIGTERM on to a child does it now
    process.emit('SIGTERM', 'SIGTERM');
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.on('SIGHUP', onHangup);
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      process.off('SIGHUP', onHangup);
    },
  };
}
