/**
 * Colours of conditions, the same in every report, the viewer and the terminal: each label asks for one of the eight, and has
 * another only where a plainer one that is shown beside it asks for the same. Browser-safe.
 */

export const THEME_NAMES = ['light', 'dark'] as const;
export type ThemeName = (typeof THEME_NAMES)[number];

/**
 * Categorical colours by place. Any two of the eight differ by a CIEDE2000 of 20 or more, as they are and under simulated
 * protanopia and deuteranopia, and each has contrast 3:1 or more with its ground (checked by a test).
 */
export const CONDITION_COLORS: Readonly<Record<ThemeName, readonly string[]>> = {
  light: ['#143acd', '#938a26', '#23a591', '#5e4a09', '#7b81ff', '#260840', '#14645e', '#0a1c10'],
  dark: ['#b682ff', '#a4a737', '#7af9c9', '#b2358e', '#c8e3ff', '#fbff3d', '#af7b83', '#6a6c22'],
};
const N_COLORS = CONDITION_COLORS.light.length;

/** From the ninth condition on colours come again, with another shape or dash: one step for every eight conditions. */
export const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'] as const;
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2],
  [9, 3, 2, 3],
  [4, 6],
  [12, 4],
];

/** Chosen so that the conditions of the presets, and their like at other widths, ask for different colours, and those of quick for none near black. */
const SALT = 9_011_332;

/** The colour that a label asks for whatever stands beside it: FNV-1a of its code units, mixed once more. */
function askedFor(label: string): number {
  let hash = 2_166_136_261 ^ SALT;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return ((hash ^ (hash >>> 13)) >>> 0) % N_COLORS;
}

/**
 * label -> place, with keys in the order of code units: the same whatever order labels came in. Eight labels fill the eight
 * places of a round. Those that ask for different colours have them; of several that ask for one the shortest has it, which
 * is the plainest condition, and the others what is left.
 */
export function placesOf(labels: Iterable<string>): ReadonlyMap<string, number> {
  const sorted = [...new Set(labels)].sort();
  const places = new Map<string, number>();
  let waiting = [...sorted].sort((a, b) => a.length - b.length);
  for (let round = 0; waiting.length > 0; round += N_COLORS) {
    const taken = new Map<number, string>();
    for (const label of waiting) if (!taken.has(askedFor(label))) taken.set(askedFor(label), label);
    const given = new Set(taken.values());
    waiting = waiting.filter((label) => !given.has(label));
    for (const label of waiting.splice(0, N_COLORS - taken.size)) {
      let color = askedFor(label);
      while (taken.has(color)) color = (color + 1) % N_COLORS;
      taken.set(color, label);
    }
    for (const [color, label] of taken) places.set(label, round + color);
  }
  return new Map(sorted.map((label) => [label, places.get(label) ?? 0]));
}

/** Which of the colours a place has. */
export function colorIndex(place: number): number {
  return Math.max(0, place) % N_COLORS;
}

/** How often the colours have come before: 0 for the first eight conditions. */
export function roundOf(place: number): number {
  return Math.floor(Math.max(0, place) / N_COLORS) % SHAPES.length;
}

export function colorAt(theme: ThemeName, place: number): string {
  return CONDITION_COLORS[theme][colorIndex(place)];
}
