/** Saves a drawn chart as a picture: through a link to a local object, so that no request is made. */
import type { View } from 'vega';

/** Pixels of the PNG a pixel of the page. */
const PNG_SCALE = 2;

export async function save(view: View, name: string, kind: 'png' | 'svg'): Promise<void> {
  const url =
    kind === 'png'
      ? await view.toImageURL('png', PNG_SCALE)
      : URL.createObjectURL(new Blob([await view.toSVG()], { type: 'image/svg+xml' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.${kind}`;
  link.click();
  if (kind === 'svg') window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
