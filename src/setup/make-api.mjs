/** `npm run make:api`: docs/api.md from the exported declarations. */
import { writeFileSync } from 'node:fs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
// after the set-up: it needs the built project
const { API_FILE, makeApi } = await import('./api.mjs');
writeFileSync(API_FILE, await makeApi());
