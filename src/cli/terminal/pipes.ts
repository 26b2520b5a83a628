/** What happens when nobody reads the output any more. */

/** EIO: the terminal is gone, after SIGHUP. */
const READER_GONE = new Set(['EPIPE', 'EIO']);

/**
 * Output that has lost its reader (`| head`, a closed terminal) is dropped, and the work goes on: a training must not end
 * because its progress is no longer watched. Any other error of a stream stays an error.
 */
export function surviveClosedPipes(
  streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr],
): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!READER_GONE.has(error.code ?? '')) throw error;
    });
  }
}
