/** The last handler: one sentence to the client (JSON below /api, a page elsewhere), never a stack or a path. */
import type { NextFunction, Request, Response } from 'express';
import { errorMessage, printable, UserError } from '../errors.js';
import { RefusedError } from './guard.js';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Not understood',
  403: 'Not served',
  404: 'Not here',
  405: 'Only reading',
  414: 'Too long',
  503: 'Busy',
};

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
      response.json({ error: message });
    } else {
      response.type('html').send(page(TITLES[status] ?? 'Something went wrong', message));
    }
  };
}

function answer(error: unknown): { status: number; message: string } {
  if (error instanceof RefusedError) return { status: error.status, message: error.message };
  if (error instanceof UserError) return { status: 400, message: printable(error.message, 500) };
  return { status: 500, message: 'The viewer failed on this; the terminal it runs in says more.' };
}

function page(title: string, message: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} - sumlens</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/styles.css">
</head>
<body>
<main class="error-page"><h1>${escape(title)}</h1><p>${escape(message)}</p><p><a href="/">All runs</a></p></main>
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
