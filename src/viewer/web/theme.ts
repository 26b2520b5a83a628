/** Light, dark, or as the system says; kept where the browser allows it. */
import { byId } from './dom.js';
import { conditionColors } from './format.js';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'sumlens-theme';

export function startTheme(): void {
  const colors = new CSSStyleSheet();
  colors.replaceSync(conditionColors());
  document.adoptedStyleSheets = [colors];
  let theme = stored();
  const button = byId('theme');
  const show = (): void => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // storage is a convenience: without it the choice lasts as long as the page
    }
    show();
  });
  show();
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}
