/** The child process that trains one run. Started by src/jobs; what it is asked and answers is train-job.ts. */
import { parseRunConfig } from '../config/parse.js';
import { packageVersion } from '../io/package-root.js';
import { runJobEntry } from '../jobs/child.js';
import { type TrainAnswer, jsonOf, parseTrainJob } from './train-job.js';
import { trainRun } from './train-run.js';

runJobEntry(async (input, context) => {
  const job = parseTrainJob(input);
  const outcome = await trainRun(parseRunConfig(job.config, 'job'), {
    ...job.options,
    versions: { node: process.version, sumlens: packageVersion() },
    signal: context.signal,
    onProgress: (progress) => {
      context.send(jsonOf(progress));
    },
  });
  // maxRSS is in kilobytes
  const answer: TrainAnswer = { ...outcome, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
  return jsonOf(answer);
});
