/**
 * The first thing every request meets. Reading: plain GET and HEAD requests that the viewer's own pages could have sent
 * pass, with an exact Host, no foreign Origin, no other site's sub-request, no body, and an address without anything to
 * decode. Changing something: only at the addresses of the table of operations, as JSON of a known length. Who may, is
 * session.ts.
 */
import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

export interface Refusal {
  readonly status: 400 | 403 | 405 | 411 | 413 | 414 | 415;
  readonly message: string;
}

/** A name under which the viewer is served. */
export interface ServedHost {
  /** exact value of the Host header */
  readonly host: string;
  /** exact value of the Origin header of its own pages */
  readonly origin: string;
  /** named with --allow-host: what stands in front may write another served name into Host */
  readonly isAllowed?: true;
}

/** What the guard has to know. */
export interface Door {
  hosts(): readonly ServedHost[];
  /** methods other than GET and HEAD that an address knows: `POST`, ... */
  changes(path: string): readonly string[];
}

/** An address is a path of plain names and, at most, a plain query: no percent sign ever reaches a route. */
const ADDRESS = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._+=,@-]*)*\/?(?:\?[A-Za-z0-9=&_.,@+:~!-]*)?$/;
/** A page of comparison names its runs in its address. */
const MAX_ADDRESS = 2048;
/** Longest body, in bytes: a plan of one's own has a few kilobytes. */
export const MAX_BODY = 64 << 10;

/** Why a request is refused, or undefined. */
export function refusal(request: IncomingMessage, door: Door): Refusal | undefined {
  const { method = '', url = '' } = request;
  if (url.length > MAX_ADDRESS) return { status: 414, message: 'The address is too long.' };
  const isChange = method !== 'GET' && method !== 'HEAD';
  if (isChange && !door.changes(url).includes(method)) {
    return { status: 405, message: `This address does not know the method ${method}.` };
  }
  if (!url.startsWith('/') || !ADDRESS.test(url)) {
    return { status: 400, message: 'The address holds something that no page here has.' };
  }
  const hosts = door.hosts();
  const host = only(request, 'host');
  const served = host === undefined ? undefined : hosts.find((one) => one.host === host);
  if (served === undefined) {
    return {
      status: 403,
      message: `Open ${hosts[0]?.origin}/ instead: this name is not served. For a forwarded port or a proxy, start the viewer with --allow-host and the name and port that the browser uses.`,
    };
  }
  const origin = values(request, 'origin');
  const isOwn = (text: string): boolean =>
    text === served.origin || hosts.some((one) => one.isAllowed === true && one.origin === text);
  if (origin.length > 0 && (origin.length > 1 || !isOwn(origin[0]))) {
    return { status: 403, message: 'Requests of other origins are not served.' };
  }
  if (fromAnotherSite(request, isChange))
    return { status: 403, message: 'Requests of other sites are not served.' };
  if (values(request, 'upgrade').length > 0) {
    return { status: 400, message: 'No other protocol is spoken here.' };
  }
  return isChange ? bodyRefusal(request) : withBody(request);
}

function withBody(request: IncomingMessage): Refusal | undefined {
  const length = values(request, 'content-length');
  if (values(request, 'transfer-encoding').length > 0 || length.some((text) => text !== '0')) {
    return { status: 400, message: 'A request here has no body.' };
  }
  return undefined;
}

/** A form of another site cannot send JSON, and none of ours sends anything else. */
function bodyRefusal(request: IncomingMessage): Refusal | undefined {
  const type = only(request, 'content-type');
  if (type === undefined || !/^application\/json(?:; ?charset=utf-8)?$/i.test(type)) {
    return { status: 415, message: 'Content-Type: expected application/json.' };
  }
  const encodings = [...values(request, 'transfer-encoding'), ...values(request, 'content-encoding')];
  const length = only(request, 'content-length');
  if (encodings.length > 0 || length === undefined || !/^\d{1,9}$/.test(length)) {
    return { status: 411, message: 'Content-Length: expected the length of a body that is sent as it is.' };
  }
  if (Number(length) > MAX_BODY) {
    return { status: 413, message: `The body has ${length} bytes, expected at most ${MAX_BODY}.` };
  }
  return undefined;
}

/** Sec-Fetch-Site, where the browser sends it: another site may link to a page, and nothing else. */
function fromAnotherSite(request: IncomingMessage, isChange: boolean): boolean {
  const site = values(request, 'sec-fetch-site');
  if (site.length === 0) return false;
  if (site.length === 1 && site[0] === 'same-origin') return false;
  if (isChange) return true;
  if (site.length === 1 && site[0] === 'none') return false;
  return only(request, 'sec-fetch-mode') !== 'navigate' || only(request, 'sec-fetch-dest') !== 'document';
}

/** All values of a header as sent: Node keeps only the first of a doubled Host. */
export function values(request: IncomingMessage, name: string): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    if (request.rawHeaders[i].toLowerCase() === name) found.push(request.rawHeaders[i + 1]);
  }
  return found;
}

export function only(request: IncomingMessage, name: string): string | undefined {
  const found = values(request, name);
  return found.length === 1 ? found[0] : undefined;
}

/** Express middleware; the refusal goes to the error handler as RefusedError. */
export function guard(door: Door) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const refused = refusal(request, door);
    if (refused === undefined) {
      next();
      return;
    }
    if (refused.status === 405) {
      response.setHeader('Allow', ['GET', 'HEAD', ...door.changes(request.url)].join(', '));
    }
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
