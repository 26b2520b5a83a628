#!/usr/bin/env node
/**
 * What `sumlens` starts: program.ts, which is loaded from here so that a limit of open files at which not even the modules
 * of the program can be loaded gets one line.
 */
try {
  await import('./program.js');
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  process.stderr.write(
    'sumlens: too many files are open: the limit of this shell or machine is too low to load the program. Raise it: ulimit -n 1024.\n',
  );
  process.exitCode = 1;
}
