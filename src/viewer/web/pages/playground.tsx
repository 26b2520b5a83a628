/** The playground on the viewer's runs: their weights come from the server, everything else is computed in the page. */
import type { AddressBar, FoundModels, Library, ModelChoice } from '../../../playground/view/library.js';
import { Playground } from '../../../playground/view/playground.js';
import { ADDRESS_NAME, type RunList, type RunSummary } from '../../contract.js';
import { getRun, runList } from '../api.js';
import { percent } from '../format.js';
import { useTitle } from '../parts/states.js';
import { send } from '../resource.js';
import { parseSearch, withSettings } from '../runs/search.js';

/** Longer lists are slow to open: a search reaches every other run. */
const MOST_CHOICES = 400;
/** Until the list is asked for again while the curves of all runs are being read. */
const AGAIN_MS = 300;
/** After so many the best of those that have been read will do. */
const MOST_ATTEMPTS = 10;

const library: Library = {
  async choices() {
    for (let attempt = 1; ; attempt++) {
      await runList.refresh();
      const list = listNow();
      const { choices } = found(list, '');
      const isTold = list.runs.every(({ reading }) => reading !== true);
      const isKnown = choices.some(({ isUntried }) => isUntried !== true);
      if (isTold || (isKnown && attempt >= MOST_ATTEMPTS)) return choices;
      // which runs are the best is not known yet
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  },
  // the list is asked for anew: a run may have come, or its curves have been read
  async find(text) {
    await runList.refresh();
    return found(listNow(), text);
  },
  steps: async (run) => (await getRun(run)).checkpoints.map(({ step }) => step),
  async load(name) {
    const [, run, step] = /^(.*?)(?:@(\d+))?$/.exec(name) ?? [];
    // it comes from the address of this page, and must stay a name in ours
    if (!ADDRESS_NAME.test(run)) throw new Error(`model: found "${name}", expected a run or <run>@<step>.`);
    const response = await send(`/api/checkpoints/${run}/${step ?? 'last'}`);
    return (await response.json()) as unknown;
  },
  async kernels() {
    return new Uint8Array(await (await send('/assets/kernels.wasm')).arrayBuffer());
  },
};

/** @throws Error when it has never come */
function listNow(): RunList {
  const list = runList.data.value;
  if (list === undefined) throw runList.error.value ?? new Error('The viewer does not answer.');
  return list;
}

/** What a search finds, in the language of the list of runs; the address of a run finds it too. */
function found(list: RunList, text: string): FoundModels {
  const listed = withSettings(list);
  const { test, problems } = parseSearch(text, listed);
  const address = text.trim();
  const isFound = new Set(
    listed.filter((one) => one.run.address === address || test(one)).map(({ run }) => run),
  );
  const all = choicesOf(list.runs);
  const those = all.filter(({ run }) => isFound.has(run));
  const choices = those.slice(0, MOST_CHOICES).map(({ choice }) => choice);
  return { choices, found: those.length, total: all.length, problems };
}

/** In the fragment, which no server has to read: an expression has brackets and blanks. */
const address: AddressBar = {
  read: () => location.hash.slice(1),
  write(text) {
    try {
      history.replaceState(history.state, '', text === '' ? location.pathname : `#${text}`);
    } catch {
      // a browser allows this only so often: the next change writes it all the same
    }
  },
  onChange(listener) {
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  },
};

export function PlaygroundPage() {
  useTitle('Playground - sumlens');
  return (
    <div class="pg-page">
      <h1>Playground</h1>
      <p class="lead">
        Type an expression and see a model reduce it, token by token. Click a part to switch it off, or take
        it from another prompt. Everything is computed in this page.
      </p>
      <h2 class="hidden">Models and their answers</h2>
      <Playground library={library} address={address} />
    </div>
  );
}

interface Choice {
  readonly run: RunSummary;
  readonly choice: ModelChoice;
}

/**
 * The best run, then the best of another condition, so that two models that differ stand first; then all others, those
 * that have not been evaluated last.
 */
function choicesOf(runs: readonly RunSummary[]): Choice[] {
  const usable = runs
    .filter(({ open, status }) => open && status !== 'corrupt')
    .sort((a, b) => meanAccuracy(b) - meanAccuracy(a) || (a.address < b.address ? -1 : 1));
  const evaluated = usable.filter(({ accuracy }) => accuracy !== null);
  const first = evaluated.find(({ tasks }) => tasks.length > 1) ?? evaluated.at(0);
  const second = evaluated.find(({ condition }) => condition !== first?.condition);
  const chosen = [first, second].filter((run) => run !== undefined);
  return [...chosen, ...usable.filter((run) => !chosen.includes(run))].map((run) => ({
    run,
    choice: {
      key: run.address,
      label: `${run.label}, seed ${run.seed ?? '?'}, ${
        run.accuracy === null ? 'not evaluated' : `right ${percent(meanAccuracy(run))}`
      } (${run.address})`,
      ...(run.accuracy === null ? { isUntried: true as const } : {}),
    },
  }));
}

function meanAccuracy({ accuracy }: RunSummary): number {
  // below those that are never right
  if (accuracy === null) return -1;
  const values = Object.values(accuracy);
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
