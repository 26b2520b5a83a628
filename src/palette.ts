/**
 * Colours of conditions, the same in the report, the viewer and the terminal: by the place of a condition's label among those
 * shown together. Browser-safe.
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

/** label -> place, in the order of code units: the same whatever order labels came in. */
export function placesOf(labels: Iterable<string>): ReadonlyMap<string, number> {
  return new Map([...new Set(labels)].sort().map((label, place) => [label, place]));
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
