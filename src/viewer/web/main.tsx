/** Entry of the front end. */
import { render } from 'preact';
import { App } from './app.js';
import { pageAt } from './pages.js';
import { startRouter } from './router.js';
import { startTheme } from './theme.js';

startTheme();
startRouter((path) => pageAt(path) !== undefined);
document.body.replaceChildren();
render(<App />, document.body);
