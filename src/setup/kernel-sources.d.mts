/** Types of kernel-sources.mjs, for the tests that compile the kernels themselves. */
export function readTargets(root: string): {
  readonly kernels: readonly string[];
  readonly native: { readonly kernelFlags: readonly string[] };
};
export function kernelSets(
  targets: ReturnType<typeof readTargets>,
  real?: 'float' | 'double',
): readonly { readonly name: string; readonly flags: readonly string[] }[];
export function compilerVersion(command: string): string | undefined;
export function compile(command: string, args: readonly string[], cwd: string): string | undefined;
