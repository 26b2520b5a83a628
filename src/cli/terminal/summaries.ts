/** Name, arguments and description of every command: the list in `sumlens --help`, which loads none of them. */

interface Summary {
  /** as commander writes them: `<needed>`, `[optional]`, `[several...]` */
  readonly args: string;
  readonly description: string;
}

/** In the order of the help. */
export const SUMMARIES = {
  run: {
    args: '[preset]',
    description:
      'The main job: train every run of a preset, probe the checkpoints, write the report, open the viewer.',
  },
  train: { args: '', description: 'Train one run; the result is checkpoints/<run>/.' },
  sweep: {
    args: '<plan>',
    description: 'Train the runs of a plan, resumable at any moment; one line of results a run.',
  },
  worker: { args: '', description: 'Train runs that "sweep --queue" put into a queue.' },
  probe: {
    args: '[module] [checkpoints...]',
    description: 'Run a probe module over checkpoints and write the report.',
  },
  'new-probe': {
    args: '<name>',
    description: 'Write a module of your own to begin with: <name>.ts, one statistic, ready to run.',
  },
  compare: {
    args: '[checkpoints...]',
    description: 'Compare checkpoints with every module: models, conditions and seeds, or steps of a run.',
  },
  report: {
    args: '[report...]',
    description:
      'Draw the page of one or more report.json again, or write their numbers as a table, their charts as figures.',
  },
  site: {
    args: '[report...]',
    description: 'Write a folder that any web server serves: reports, a playground, the result of the paper.',
  },
  verdicts: {
    args: '<file>',
    description: 'Decide the claims again from the numbers alone: a table, the results of a sweep, a report.',
  },
  sample: {
    args: '[checkpoint]',
    description:
      'Print examples with their reductions and roles, digit frequencies, mutual information and the leak report.',
  },
  inspect: {
    args: '<checkpoint...>',
    description:
      'Ask checkpoints one expression and look inside: probabilities, logit lens, attention, parts.',
  },
  serve: {
    args: '',
    description:
      'Show runs (with curves as they grow) and reports in the browser, and start jobs; on this machine only, unless told otherwise.',
  },
  export: { args: '<checkpoint>', description: 'Write one checkpoint for another program.' },
  import: {
    args: '<folder or file>',
    description: 'Make a run directory of a checkpoint from another program.',
  },
  verify: {
    args: '<folder...>',
    description:
      'Check every hash, chain and row of runs, published checkpoints and caches; nothing is changed.',
  },
  repair: {
    args: '<folder...>',
    description:
      'Put right what verify found, where nothing can be lost by it; says it first, does it with --yes.',
  },
  doctor: {
    args: '',
    description:
      'Show which engine is used and why, whether tfjs-node loads, and train for five seconds as a self-test.',
  },
} as const satisfies Readonly<Record<string, Summary>>;

export type CommandName = keyof typeof SUMMARIES;
