/** Entry of the front end: the address says which page it is. */
import { byId, h, put } from './dom.js';
import { showHome } from './home.js';
import { showReport } from './report-page.js';
import { showRun } from './run-page.js';
import { showSweep } from './sweep-page.js';
import { startTheme } from './theme.js';

startTheme();
const main = byId('main');
const [, section, name] = location.pathname.split('/');

async function show(): Promise<void> {
  if (section === 'runs' && name) await showRun(main, name);
  else if (section === 'reports' && name) await showReport(main, name);
  else if (section === 'sweeps' && name) showSweep(main, name);
  else await showHome(main);
}

show().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  put(main, h('div', { class: 'notice bad', role: 'alert' }, h('p', {}, message)));
});
