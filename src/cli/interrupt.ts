/** Turns SIGINT and SIGTERM into an AbortSignal. Children get the signal from src/jobs; a second Ctrl-C ends at once. */
const REPEAT_MS = 1000;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** the signal that came, and its exit code */
  exitCode(): number;
  release(): void;
}

export function interruptSignal(): Interrupt {
  const controller = new AbortController();
  let code = 130;
  let firstAt = -Infinity;
  const on = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const now = performance.now();
    if (controller.signal.aborted && now - firstAt > REPEAT_MS) process.exit(code);
    if (controller.signal.aborted) return;
    firstAt = now;
    code = signal === 'SIGINT' ? 130 : 143;
    process.exitCode = code;
    controller.abort();
  };
  const onInterrupt = (): void => on('SIGINT');
  const onTerminate = (): void => on('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
    },
  };
}
