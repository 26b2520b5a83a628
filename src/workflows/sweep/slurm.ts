/** The SLURM array script of a sweep: one task trains one shard. */
import { shellWord } from '../../io/shell-word.js';

export interface SlurmScript {
  readonly name: string;
  readonly shards: number;
  /** where the script's command is run */
  readonly folder: string;
  /** program and arguments, to which the shard is added */
  readonly command: readonly string[];
  /** the command that collects, to be shown */
  readonly collect: readonly string[];
}

/** @returns the text of the script, for bash */
export function slurmScript({ name, shards, folder, command, collect }: SlurmScript): string {
  const words = (all: readonly string[]): string => all.map(shellWord).join(' ');
  return `#!/bin/bash
# ${shards} tasks, each trains its share of the runs of the sweep ${name}: sbatch <this file>
# A task that was stopped goes on where it was when it is submitted again. At any moment the results so far are collected with
#   cd ${shellWord(folder)} && ${words(collect)}
#SBATCH --job-name=sumlens-${name}
#SBATCH --array=0-${shards - 1}
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120
set -euo pipefail
cd ${shellWord(folder)}
exec ${words(command)} --shard "\${SLURM_ARRAY_TASK_ID}/${shards}" --jobs "\${SLURM_CPUS_PER_TASK:-1}"
`;
}
