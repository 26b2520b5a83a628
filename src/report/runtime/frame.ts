/**
 * The last step of drawing: the frame of a picture takes in every text as the browser drew it, and a picture that is still
 * wider than its place becomes smaller as a whole.
 */

/** A picture is not made smaller than this part of its size: it scrolls sideways instead. */
const SMALLEST = 0.6;

/** A smaller picture is drawn with other letters, whose widths are not quite in proportion: measured again. */
const MAX_PASSES = 4;

/** @param available - width of the place, pixels */
export function frameWhole(svg: SVGSVGElement | null, available: number): void {
  const frame = svg?.getBoundingClientRect();
  // a picture that is not laid out, in a folded part of the page, has no size yet
  if (svg === null || frame === undefined || frame.width === 0) return;
  let view: View = { left: 0, top: 0, width: frame.width, height: frame.height };
  let scale = 1;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const grown = around(svg, view, scale);
    const next = Math.max(SMALLEST, Math.min(1, available / grown.width));
    if (grown.width === view.width && grown.height === view.height && next === scale) return;
    view = grown;
    scale = next;
    // widths in proportion, as far as the browser can
    svg.setAttribute('text-rendering', 'geometricPrecision');
    svg.setAttribute('viewBox', [view.left, view.top, view.width, view.height].join(' '));
    svg.setAttribute('width', String(scale * view.width));
    svg.setAttribute('height', String(scale * view.height));
  }
}

/** The part of the drawing that is seen, in its own units. */
interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The view with every text that is drawn inside it. */
function around(svg: SVGSVGElement, view: View, scale: number): View {
  const frame = svg.getBoundingClientRect();
  const beyond = { left: 0, right: 0, top: 0, bottom: 0 };
  for (const text of svg.querySelectorAll('text')) {
    if (text.textContent === '') continue;
    const box = text.getBoundingClientRect();
    beyond.left = Math.max(beyond.left, frame.left - box.left);
    beyond.right = Math.max(beyond.right, box.right - frame.right);
    beyond.top = Math.max(beyond.top, frame.top - box.top);
    beyond.bottom = Math.max(beyond.bottom, box.bottom - frame.bottom);
  }
  const [left, right, top, bottom] = [beyond.left, beyond.right, beyond.top, beyond.bottom].map((pixels) =>
    Math.ceil(pixels / scale),
  );
  return {
    left: view.left - left,
    top: view.top - top,
    width: view.width + left + right,
    height: view.height + top + bottom,
  };
}
