/** The last handler: one sentence to the client (a problem below /api, a page elsewhere), never a stack or a path. */
import type { NextFunction, Request, Response } from 'express';
import { errorMessage, printable, UserError } from '../../errors.js';
import { RefusedError } from './guard.js';
import { PROBLEM_TYPE, problemOf } from './problem.js';
import { rootFrom } from './relative.js';

export function errorHandler(log: (line: string) => void) {
  return (error: unknown, request: Request, response: Response, next: NextFunction): void => {
    next satisfies NextFunction; // Express knows an error handler by its four parameters
    const { status, message } = answer(error);
    if (status === 500) log(`viewer: ${printable(errorMessage(error), 300)}`);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.status(status);
    response.setHeader('Cache-Control', 'no-store');
    if (request.url.startsWith('/api/')) {
      response.type(PROBLEM_TYPE).send(JSON.stringify(problemOf(status, message)));
    } else {
      response.type('html').send(page(problemOf(status, message).title, message, rootFrom(request.url)));
    }
  };
}

function answer(error: unknown): { status: number; message: string } {
  if (error instanceof RefusedError) return { status: error.status, message: error.message };
  if (error instanceof UserError) return { status: 400, message: printable(error.message, 500) };
  return { status: 500, message: 'The viewer failed on this; the terminal it runs in says more.' };
}

function page(title: string, message: string, root: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} - sumlens</title>
<link rel="icon" href="${root}assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}assets/styles.css">
</head>
<body>
<main class="error-page"><h1>${escape(title)}</h1><p>${escape(message)}</p><p><a href="${root}">All runs</a></p></main>
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
