/** Entry of the front end. */
import { render } from 'preact';
import { App } from './app.js';
import { pageAt } from './pages.js';
import { startRouter } from './router.js';
import { startTheme } from './theme.js';

startTheme();
startRouter((path) => pageAt(path) !== undefined);
// the shell's links are relative to the address it came under, which changes without a load
for (const link of document.querySelectorAll('link')) link.setAttribute('href', link.href);
document.body.replaceChildren();
render(<App />, document.body);
