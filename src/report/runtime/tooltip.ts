/** A tooltip made of text nodes only, so that no name in the data can become markup. */
import type { TooltipHandler } from 'vega';

const OFFSET = 14;

function bubble(): HTMLElement {
  const found = document.getElementById('tooltip');
  if (found !== null) return found;
  const made = document.createElement('div');
  made.id = 'tooltip';
  made.hidden = true;
  made.setAttribute('role', 'status');
  document.body.append(made);
  return made;
}

/** @param place - the chart's element; the bubble hides when the pointer leaves it */
export function tooltipHandler(place: HTMLElement): TooltipHandler {
  place.addEventListener('pointerleave', () => (bubble().hidden = true));
  return (_handler, event, _item, value: unknown) => {
    const element = bubble();
    if (value === null || value === undefined || value === '') {
      element.hidden = true;
      return;
    }
    element.replaceChildren(content(value));
    element.hidden = false;
    const { width, height } = element.getBoundingClientRect();
    const x =
      event.clientX + OFFSET + width > window.innerWidth
        ? event.clientX - OFFSET - width
        : event.clientX + OFFSET;
    const y =
      event.clientY + OFFSET + height > window.innerHeight
        ? event.clientY - OFFSET - height
        : event.clientY + OFFSET;
    element.style.setProperty('left', `${Math.max(4, x)}px`);
    element.style.setProperty('top', `${Math.max(4, y)}px`);
  };
}

function content(value: unknown): Node {
  if (typeof value !== 'object' || value === null) return document.createTextNode(String(value));
  const list = document.createElement('dl');
  for (const [key, item] of Object.entries(value)) {
    // what was not computed has nothing to say
    if (item === null || item === undefined || item === '' || item === 'null') continue;
    const term = document.createElement('dt');
    const description = document.createElement('dd');
    term.textContent = key;
    description.textContent = String(item);
    list.append(term, description);
  }
  return list;
}
