/** /api/openapi.json: the description of everything below /api. */
import { Router } from 'express';
import { openApiDocument } from '../api/document.js';

export function apiRoutes(): Router {
  const router = Router({ caseSensitive: true, strict: true });
  let text: string | undefined;
  router.get('/api/openapi.json', (_request, response) => {
    text ??= JSON.stringify(openApiDocument(), null, 2);
    response.type('json').send(text);
  });
  return router;
}
