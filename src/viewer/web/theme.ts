/** Light, dark, or as the system says; kept where the browser allows it. */
import { signal } from '@preact/signals';
import { conditionColors } from './format.js';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'sumlens-theme';

export const theme = signal<Theme>('system');

export function startTheme(): void {
  const colors = new CSSStyleSheet();
  colors.replaceSync(conditionColors());
  document.adoptedStyleSheets = [colors];
  set(stored());
}

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.peek()) + 1) % THEMES.length];
  set(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // storage is a convenience: without it the choice lasts as long as the page
  }
}

function set(next: Theme): void {
  theme.value = next;
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((known) => known === value) ?? 'system';
  } catch {
    return 'system';
  }
}
