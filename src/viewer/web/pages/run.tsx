/** One run: where it stands, its curves as they grow, configuration, checkpoints. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { CheckpointRow, CurvesEvent, RunDetail, RunStatus, RunSummary } from '../../contract.js';
import { getRun, runList } from '../api.js';
import { CurveStore } from '../curve-store.js';
import { bytes, colorClass, number, percent, whole } from '../format.js';
import type { PageProps } from '../pages.js';
import { A } from '../parts/link.js';
import { NotesButton, Tags } from '../parts/notes.js';
import { StateBadge } from '../parts/run-state.js';
import { Broken } from '../parts/broken.js';
import { Loading, Lost, Notice, useTitle } from '../parts/states.js';
import { RunCharts } from '../parts/run-charts.js';
import { TrashButton } from '../parts/trash.js';
import { go, href } from '../router.js';
import { followStream } from '../stream.js';

/** How long until a stopped run is looked at again. */
const RESUMED_MS = 5000;

export function RunPage({ name }: PageProps) {
  const [detail, setDetail] = useState<RunDetail | Error | undefined>(undefined);
  useEffect(() => {
    getRun(name).then(setDetail, (reason: unknown) =>
      setDetail(reason instanceof Error ? reason : new Error(String(reason))),
    );
  }, [name]);
  if (detail === undefined) return <Loading />;
  if (detail instanceof Error) return <Broken title="Not here">{detail.message}</Broken>;
  return <LiveRun address={name} first={detail} />;
}

interface Live {
  readonly run: RunSummary;
  readonly unreadable: number;
  readonly isGone: boolean;
  readonly isLost: boolean;
  /** times that curves came */
  readonly version: number;
}

function LiveRun({ address, first }: { readonly address: string; readonly first: RunDetail }) {
  const [detail, setDetail] = useState(first);
  const store = useMemo(() => new CurveStore(), [address]);
  const [live, setLive] = useState<Live>({
    run: first.run,
    unreadable: 0,
    isGone: false,
    isLost: false,
    version: 0,
  });
  useEffect(() => {
    const change = (some: Partial<Live>): void => setLive((now) => ({ ...now, ...some }));
    return followStream(`/api/runs/${address}/events`, {
      on: {
        curves: (data) => {
          const event = data as CurvesEvent;
          store.add(event);
          setLive((now) => ({
            ...now,
            version: now.version + 1,
            unreadable: Math.max(now.unreadable, event.unreadable),
          }));
        },
        state: (data) => change({ run: data as RunSummary }),
        gone: (_data, end) => {
          end();
          change({ isGone: true });
        },
        end: (data, end) => {
          const { status } = data as { status: RunStatus };
          // what was stopped may be taken up again
          end(status === 'stopped' || status === 'interrupted' ? RESUMED_MS : undefined);
          // checkpoints written since the page was opened
          getRun(address).then(setDetail, () => undefined);
        },
      },
      connection: (ok) => change({ isLost: !ok }),
    });
  }, [address]);
  // a run that has ended tells nothing of itself any more
  const lookAgain = (): void => {
    getRun(address).then(
      (now) => {
        setDetail(now);
        setLive((before) => ({ ...before, run: now.run }));
      },
      () => undefined,
    );
  };
  const { run } = live;
  useTitle(`${run.label}, seed ${run.seed ?? '?'} - sumlens`);
  const color = colorClass(run.place);
  return (
    <>
      <nav class="trail" aria-label="You are here">
        <A to="/">Runs</A> / <span aria-current="page">{run.id}</span>
      </nav>
      <div class={`title-row ${color}`}>
        <span class="swatch" />
        <h1>{run.label}</h1>
        <StateBadge run={run} />
        <NotesButton run={run} label={`Tags and note of ${run.id}`} onSaved={lookAgain} />
      </div>
      <Tags run={run} />
      <Seeds detail={detail} />
      <Doings detail={detail} run={run} />
      <div role="status" class="notices">
        {live.isGone && (
          <Notice tone="bad">The folder of this run is gone. What was drawn stays until you leave.</Notice>
        )}
        {run.status === 'diverged' && (
          <Notice tone="bad">{run.reason ?? 'A number stopped being finite.'}</Notice>
        )}
        {run.status === 'budget' && run.learned === false && (
          <Notice tone="warn">{unlearnedText(run, detail.learnedAccuracy)}</Notice>
        )}
        {live.unreadable > 0 && (
          <Notice tone="warn">
            {`${whole(live.unreadable)} ${live.unreadable === 1 ? 'line' : 'lines'} of metrics.jsonl could not be read and ${live.unreadable === 1 ? 'is' : 'are'} left out.`}
          </Notice>
        )}
      </div>
      <Lost isLost={live.isLost && !live.isGone} />
      <Tiles run={run} />
      <h2>Learning curves</h2>
      <RunCharts detail={detail} run={run} store={store} version={live.version} />
      <div class="columns">
        <Configuration detail={detail} />
        <Checkpoints rows={detail.checkpoints} />
      </div>
    </>
  );
}

/** Where to go on from here. */
function Doings({ detail, run }: { readonly detail: RunDetail; readonly run: RunSummary }) {
  const { address, id } = run;
  const isMeasurable = detail.checkpoints.length > 0;
  return (
    <div class="buttons doings">
      {isMeasurable && <a href={href('/playground') + `#model=${address}`}>Ask it in the playground</a>}
      {isMeasurable && (
        <A to="/compare" query={{ of: `${address}@all` }}>
          Compare its steps
        </A>
      )}
      {run.status !== 'running' && run.shipped !== true && (
        <TrashButton
          what="run"
          name={id}
          path={`/api/runs/${address}`}
          onMoved={() => {
            void runList.refresh();
            go('/');
          }}
        />
      )}
    </div>
  );
}

/** What an ended run lacks, beside what guessing gives. */
function unlearnedText({ accuracy, chance }: RunSummary, learnedAccuracy: number): string {
  const low = Object.entries(accuracy ?? {}).filter(([, share]) => share < learnedAccuracy);
  const found =
    low.length === 0
      ? 'an accuracy fell back in the last two evaluations'
      : low.map(([operation, share]) => `${operation} is right in ${percent(share)} of results`).join(', ');
  const guess = chance === null ? '' : `; uniform guessing gives ${percent(chance)}`;
  return `The budget is used up, and this run has not learned: ${found}${guess}.`;
}

function Tiles({ run }: { readonly run: RunSummary }) {
  return (
    <dl class="tiles">
      <Tile
        name="step"
        value={whole(run.step)}
        note={run.steps === null || run.step >= run.steps ? '' : `of ${whole(run.steps)}`}
      />
      <Tile name="training loss" value={number(run.loss)} note="nats" />
      {Object.entries(run.accuracy ?? {}).map(([operation, share]) => (
        <Tile key={operation} name={`${operation} right`} value={percent(share)} />
      ))}
      <Tile name="parameters" value={whole(run.parameters)} />
      <Tile name="seed" value={run.seed === null ? '–' : String(run.seed)} />
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

function Tile({ name, value, note = '' }: TileProps) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        {value} {note !== '' && <small>{note}</small>}
      </dd>
    </div>
  );
}

function Seeds({ detail: { siblings, run } }: { readonly detail: RunDetail }) {
  if (siblings.length < 2) return null;
  return (
    <nav class="siblings" aria-label="Seeds of this condition">
      <span class="muted">Seeds</span>
      {[...siblings]
        .sort((a, b) => (a.seed ?? 0) - (b.seed ?? 0))
        .map(({ id, seed, open, address }) =>
          id === run.id ? (
            <span key={id} class="chip here" aria-current="page">
              {seed ?? id}
            </span>
          ) : open ? (
            <A key={id} class="chip" to={`/runs/${address}`}>
              {seed ?? id}
            </A>
          ) : null,
        )}
    </nav>
  );
}

function Configuration({ detail }: { readonly detail: RunDetail }) {
  return (
    <section class="card" aria-labelledby="config-title">
      <h2 id="config-title">Configuration</h2>
      {detail.config.map(([section, fields]) => (
        <div key={section}>
          <h3>{section}</h3>
          <dl class="fields">
            {fields.map(([key, value]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </section>
  );
}

function Checkpoints({ rows }: { readonly rows: readonly CheckpointRow[] }) {
  return (
    <section class="card" id="checkpoints" aria-labelledby="checkpoints-title">
      <h2 id="checkpoints-title">Checkpoints</h2>
      {rows.length === 0 ? (
        <p class="muted">None published yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Checkpoints of this run">
          <table>
            <thead>
              <tr>
                <th scope="col">step</th>
                <th scope="col" class="right">
                  size
                </th>
                <th scope="col">weights</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ step, sizeBytes, sha256 }) => (
                <tr key={step}>
                  <th scope="row">{whole(step)}</th>
                  <td class="right">{bytes(sizeBytes)}</td>
                  <td>
                    <code>{sha256 ?? '–'}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
