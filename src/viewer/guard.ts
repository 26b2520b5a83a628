/**
 * The first thing every request meets. Only plain GET and HEAD requests that this machine's own pages could have sent
 * pass: exact Host, no foreign Origin, no other site's sub-request, no body, an address without anything to decode.
 */
import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

export interface Refusal {
  readonly status: 400 | 403 | 405 | 414;
  readonly message: string;
}

/** An address is a path of plain names and, at most, a plain query: no percent sign ever reaches a route. */
const ADDRESS = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._+=,@-]*)*\/?(?:\?[A-Za-z0-9=&_-]*)?$/;
const MAX_ADDRESS = 512;

/** Why a request is refused, or undefined. */
export function refusal(request: IncomingMessage, hosts: readonly string[]): Refusal | undefined {
  const { method, url = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, message: 'Only GET and HEAD are served here.' };
  }
  if (url.length > MAX_ADDRESS) return { status: 414, message: 'The address is too long.' };
  if (!url.startsWith('/') || !ADDRESS.test(url)) {
    return { status: 400, message: 'The address holds something that no page here has.' };
  }
  const host = only(request, 'host');
  if (host === undefined || !hosts.includes(host)) {
    return { status: 403, message: `Open http://${hosts[0]}/ instead: this name is not served.` };
  }
  const origin = values(request, 'origin');
  if (origin.length > 0 && (origin.length > 1 || origin[0] !== `http://${host}`)) {
    return { status: 403, message: 'Requests of other origins are not served.' };
  }
  if (fromAnotherSite(request)) return { status: 403, message: 'Requests of other sites are not served.' };
  if (values(request, 'upgrade').length > 0) {
    return { status: 400, message: 'No other protocol is spoken here.' };
  }
  const length = values(request, 'content-length');
  if (values(request, 'transfer-encoding').length > 0 || length.some((text) => text !== '0')) {
    return { status: 400, message: 'A request here has no body.' };
  }
  return undefined;
}

/** Sec-Fetch-Site, where the browser sends it: another site may link to a page, and nothing else. */
function fromAnotherSite(request: IncomingMessage): boolean {
  const site = values(request, 'sec-fetch-site');
  if (site.length === 0) return false;
  if (site.length === 1 && (site[0] === 'same-origin' || site[0] === 'none')) return false;
  return only(request, 'sec-fetch-mode') !== 'navigate' || only(request, 'sec-fetch-dest') !== 'document';
}

/** All values of a header as sent: Node keeps only the first of a doubled Host. */
function values(request: IncomingMessage, name: string): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i].toLowerCase() === name) found.push(request.rawHeaders[i + 1]);
  }
  return found;
}

function only(request: IncomingMessage, name: string): string | undefined {
  const found = values(request, name);
  return found.length === 1 ? found[0] : undefined;
}

/** Express middleware; the refusal goes to the error handler as RefusedError. */
export function guard(hosts: () => readonly string[]) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const refused = refusal(request, hosts());
    if (refused === undefined) {
      next();
      return;
    }
    if (refused.status === 405) response.setHeader('Allow', 'GET, HEAD');
    // whatever the client still means to send is not read
    response.setHeader('Connection', 'close');
    next(new RefusedError(refused.status, refused.message));
  };
}

/** A request that gets a 4xx answer with this text. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function notFound(what: string): RefusedError {
  return new RefusedError(404, `There is no such ${what} (any more).`);
}
