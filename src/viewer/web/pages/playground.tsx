/** The playground on the viewer's runs: their weights come from the server, everything else is computed in the page. */
import type { AddressBar, Library, ModelChoice } from '../../../playground/view/library.js';
import { Playground } from '../../../playground/view/playground.js';
import { ADDRESS_NAME, type RunSummary } from '../../contract.js';
import { getRun, runList } from '../api.js';
import { percent } from '../format.js';
import { useTitle } from '../parts/states.js';
import { send } from '../resource.js';

/** Longer lists are slow to open; any other run can be opened from its own page. */
const MOST_CHOICES = 400;

const library: Library = {
  async choices() {
    await runList.refresh();
    const runs = runList.data.value?.runs;
    if (runs === undefined) throw runList.error.value ?? new Error('The viewer does not answer.');
    return choicesOf(runs);
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
      <Playground library={library} address={address} />
    </div>
  );
}

/** The best run, then the best of another condition, so that two models that differ stand first; then all others. */
function choicesOf(runs: readonly RunSummary[]): ModelChoice[] {
  const usable = runs
    .filter(({ open, status, accuracy }) => open && status !== 'corrupt' && accuracy !== null)
    .sort((a, b) => meanAccuracy(b) - meanAccuracy(a) || (a.address < b.address ? -1 : 1));
  const first = usable.find(({ tasks }) => tasks.length > 1) ?? usable[0];
  const second = usable.find(({ condition }) => condition !== first.condition);
  const chosen = [first, second].filter((run) => run !== undefined);
  return [...chosen, ...usable.filter((run) => !chosen.includes(run))].slice(0, MOST_CHOICES).map((run) => ({
    key: run.address,
    label: `${run.label}, seed ${run.seed ?? '?'}, right ${percent(meanAccuracy(run))} (${run.address})`,
  }));
}

function meanAccuracy({ accuracy }: RunSummary): number {
  const values = Object.values(accuracy ?? {});
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
