/** The playground inside a page that carries its models: a report, or a page of a static site. Keeps nothing anywhere. */
import { render } from 'preact';
import { fromBase64 } from '../document.js';
import { MODELS_ELEMENT, KERNELS_ELEMENT, ROOT_ELEMENT } from '../page-data.js';
import type { AddressBar, Library } from './library.js';
import { Playground } from './playground.js';

/** Other parts of the page have anchors of their own; ours is this word, and the state after it. */
const ANCHOR = ROOT_ELEMENT;

function json(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? 'null');
}

function libraryOfPage(): Library {
  const given = json(MODELS_ELEMENT);
  const models = Array.isArray(given)
    ? (given as readonly { readonly name?: unknown; readonly label?: unknown }[])
    : [];
  const choices = models.map(({ name, label }) => ({
    key: String(name),
    label: `${String(label)}, ${String(name)}`,
  }));
  return {
    choices: () => Promise.resolve(choices),
    load: (name) => {
      const found = models.find((model) => model.name === name);
      return found === undefined
        ? Promise.reject(
            new Error(
              `model "${name}": found no such model in this page, expected ${choices.map(({ key }) => key).join(' or ')}.`,
            ),
          )
        : Promise.resolve(found);
    },
    kernels: () => {
      const text = json(KERNELS_ELEMENT);
      const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
      return bytes === undefined
        ? Promise.reject(new Error('This page lacks the program that computes. Write it again.'))
        : Promise.resolve(bytes);
    },
  };
}

const address: AddressBar = {
  read() {
    const text = location.hash.slice(1);
    return text.startsWith(`${ANCHOR}&`) ? text.slice(ANCHOR.length + 1) : '';
  },
  write(text) {
    try {
      history.replaceState(history.state, '', `#${ANCHOR}${text === '' ? '' : `&${text}`}`);
    } catch {
      // a host may forbid it to a page in a sandbox, or so often: the page works on without it
    }
  },
  onChange(listener) {
    addEventListener('hashchange', listener);
    return () => removeEventListener('hashchange', listener);
  },
};

const root = document.getElementById(ROOT_ELEMENT);
if (root !== null) {
  root.replaceChildren();
  render(<Playground library={libraryOfPage()} address={address} />, root);
  if (location.hash.startsWith(`#${ANCHOR}&`)) root.scrollIntoView();
}
