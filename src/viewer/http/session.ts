/**
 * Who may do what: a token made at the start, which a browser keeps in a cookie that no script can read and no other site
 * can send. On the loopback address reading needs none, and the first page brings the cookie; where others may reach the
 * viewer, everything but the style sheet needs it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sha256Hex } from '../../io/sha256.js';
import { only, RefusedError, type ServedHost, values } from './guard.js';
import { RateLimit } from './rate-limit.js';
import { rootFrom } from './relative.js';

export interface SessionOptions {
  /** letters, digits, `-` and `_` */
  readonly token: string;
  /** reading needs it too */
  readonly isTokenDemanded: boolean;
  /** cookies are not kept apart by port: this viewer's own */
  cookieName(): string;
  hosts(): readonly ServedHost[];
}

/** Text of a token, as `--token` and SUMLENS_TOKEN take it. */
export const TOKEN = /^[A-Za-z0-9_-]{16,128}$/;
const IN_QUERY = /[?&]token=([A-Za-z0-9_-]*)(?=&|$)/;

/** Changes: sixty at once, ten a second for as long as one likes. */
const CHANGES = { burst: 60, perSecond: 10 };
/** Wrong tokens: nobody mistypes one. */
const WRONG = { burst: 10, perSecond: 0.2 };

/** Express middleware. Comes behind the guard, which has looked at Host and Origin. */
export function session(options: SessionOptions): RequestHandler {
  const { isTokenDemanded } = options;
  const changes = new RateLimit(CHANGES);
  const wrong = new RateLimit(WRONG);
  const isToken = comparison(options.token);
  const has = (text: string | undefined): boolean => {
    if (text === undefined) return false;
    if (isToken(text)) return true;
    if (!wrong.take()) throw new RefusedError(429, 'Too many wrong tokens. Wait a minute.');
    return false;
  };
  return (request: Request, response: Response, next: NextFunction): void => {
    const bearer = bearerOf(request);
    const hasCookie = cookiesOf(request, options.cookieName()).some(isToken);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      // a cookie is sent by the browser whoever asks: then the origin must be said, and the guard found it to be ours
      const isOurPage = hasCookie && only(request, 'origin') !== undefined;
      if (!isOurPage && !has(bearer)) throw new RefusedError(403, CHANGE_REFUSED);
      if (!changes.take()) throw new RefusedError(429, 'Too many changes at once. Wait a second.');
      next();
      return;
    }
    const inAddress = IN_QUERY.exec(request.url)?.[1];
    if (inAddress !== undefined && has(inAddress)) {
      setCookie(response, options, request);
      response.setHeader('Cache-Control', 'no-store');
      // not a redirect: a cookie of SameSite=Strict is not sent along one that began at another site
      response.type('html').send(onward(request.url));
      return;
    }
    if (!isTokenDemanded) {
      if (!hasCookie) setCookie(response, options, request);
    } else if (!hasCookie && !has(bearer) && !request.url.startsWith('/assets/')) {
      throw new RefusedError(401, READING_REFUSED);
    }
    next();
  };
}

const CHANGE_REFUSED =
  'This changes something and needs the token of this viewer. Load the page again; a program sends "Authorization: Bearer <token>", which "sumlens serve --json" prints.';
const READING_REFUSED = 'This viewer needs its token. Open the address that it printed when it was started.';

function bearerOf(request: Request): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{1,128})$/.exec(only(request, 'authorization') ?? '')?.[1];
}

function cookiesOf(request: Request, name: string): string[] {
  const pairs = values(request, 'cookie').flatMap((line) => line.split(';').map((pair) => pair.trim()));
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}

/** Takes the same time whatever is compared. */
function comparison(token: string): (text: string) => boolean {
  const own = Buffer.from(sha256Hex(token));
  return (text) => timingSafeEqual(Buffer.from(sha256Hex(text)), own);
}

function setCookie(response: Response, options: SessionOptions, request: Request): void {
  const host = only(request, 'host');
  const isSecure = options.hosts().some((one) => one.host === host && one.origin.startsWith('https:'));
  const parts = [`${options.cookieName()}=${options.token}`, 'Path=/', 'HttpOnly', 'SameSite=Strict'];
  response.append('Set-Cookie', [...parts, ...(isSecure ? ['Secure'] : [])].join('; '));
}

/** A page that goes on to the same address without the token, relative to itself. The guard let no markup through. */
function onward(url: string): string {
  const [path, query = ''] = url.split('?');
  const rest = query.split('&').filter((part) => part !== '' && !part.startsWith('token='));
  const name = path.slice(path.lastIndexOf('/') + 1);
  const target = `${name === '' ? './' : name}${rest.length > 0 ? `?${rest.join('&amp;')}` : ''}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${target}"><title>sumlens</title><link rel="icon" href="${rootFrom(path)}assets/icon.svg" type="image/svg+xml"></head>
<body><p><a href="${target}">Go on</a></p></body></html>
`;
}
