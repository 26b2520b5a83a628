/** The frame of every page: brand, navigation, theme, and the page that the address names. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useErrorBoundary } from 'preact/hooks';
import { PAGES, pageAt, type Page, type PageEntry } from './pages.js';
import { Broken } from './parts/broken.js';
import { A } from './parts/link.js';
import { Loading } from './parts/states.js';
import { href, place } from './router.js';
import { nextTheme, theme } from './theme.js';

/** Pages whose code is here, or why it is not. */
const loaded = signal<ReadonlyMap<PageEntry, Page | Error>>(new Map());

export function App() {
  const found = pageAt(place.value.path);
  const current = found?.page.under ?? found?.page.path;
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <A class="brand" to="/">
          <img src={href('/assets/icon.svg')} alt="" width={26} height={26} />
          sumlens
        </A>
        <nav class="pages" aria-label="Pages">
          {PAGES.filter(({ nav }) => nav !== undefined).map(({ path, nav }) => (
            <A key={path} to={path} aria-current={path === current ? 'page' : undefined}>
              {nav}
            </A>
          ))}
        </nav>
        <button type="button" class="quiet theme" onClick={nextTheme}>
          Theme: {theme}
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Boundary key={place.value.path}>
          {found === undefined ? (
            <Broken title="Not here">There is no such page (any more).</Broken>
          ) : (
            <Loaded page={found.page} name={found.name} />
          )}
        </Boundary>
      </main>
    </>
  );
}

function Loaded({ page, name }: { readonly page: PageEntry; readonly name: string }) {
  const known = loaded.value.get(page);
  useEffect(() => {
    if (known !== undefined) return;
    page.load().then(
      (ready) => (loaded.value = new Map(loaded.value).set(page, ready)),
      (reason: unknown) =>
        (loaded.value = new Map(loaded.value).set(
          page,
          reason instanceof Error ? reason : new Error(String(reason)),
        )),
    );
  }, [page]);
  if (known === undefined) return <Loading />;
  if (known instanceof Error) {
    return <Broken title="This page could not be loaded">{known.message} Load it again.</Broken>;
  }
  const Shown = known;
  return <Shown name={name} />;
}

/** One page that fails leaves the others in reach. */
function Boundary({ children }: { readonly children: ComponentChildren }) {
  const error: unknown = useErrorBoundary()[0];
  if (error === undefined) return <>{children}</>;
  const message = error instanceof Error ? error.message : 'Its code threw something that is no error.';
  return <Broken title="This page failed">{message}</Broken>;
}
