/** Names and addresses under which the viewer is served: of --host, of --allow-host, and those of this machine. */
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { unacceptable } from '../../errors.js';
import type { ServedHost } from './guard.js';

export interface AllowedHost extends ServedHost {
  readonly isAllowed: true;
  /** path that a proxy puts before each address; empty: none */
  readonly base: string;
}

const EXPECTED =
  'name:port as the browser shows it, or the whole address, such as https://hub.example/user/me/proxy/4173';
const NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])$/;

/**
 * `name:port` or an address with its scheme and path.
 * @throws UserError
 */
export function allowedHost(text: string, field = '--allow-host'): AllowedHost {
  const refused = unacceptable(field, text, EXPECTED);
  const hasScheme = /^https?:\/\//i.test(text);
  // a port must be said, unless the scheme says it
  if (!hasScheme && !/^[^/]+:\d{1,5}$/.test(text)) throw refused;
  let url: URL;
  try {
    url = new URL(hasScheme ? text : `${text.endsWith(':443') ? 'https' : 'http'}://${text}`);
  } catch {
    throw refused;
  }
  const base = url.pathname.replace(/\/+$/, '');
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  const isPath = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._+=,@-]*)*$/.test(base);
  if (!isPlain || !isPath || !NAME.test(url.hostname) || url.port === '0') throw refused;
  return { host: url.host, origin: url.origin, base, isAllowed: true };
}

/** @throws UserError: no address of a network interface */
export function checkBind(text: string, field = '--host'): string {
  if (text === 'localhost' || isIP(text) !== 0) return text;
  throw unacceptable(
    field,
    text,
    'an IP address of this machine, such as 0.0.0.0 for all of them',
    'The name that a browser uses belongs to --allow-host.',
  );
}

export const isLoopback = (address: string): boolean =>
  address === 'localhost' || address === '::1' || /^127\./.test(address);

/** Exact names for a server that listens there. The first one is what others are told. */
export function hostsOf(
  bind: string,
  port: number,
  allowed: readonly AllowedHost[],
  own: readonly string[] = ownAddresses(),
): ServedHost[] {
  const isAll = bind === '0.0.0.0' || bind === '::';
  const loopback = ['127.0.0.1', 'localhost'];
  const names = isAll
    ? [...own, hostname().toLowerCase(), ...loopback, ...(bind === '::' ? ['::1'] : [])]
    : isLoopback(bind)
      ? [...new Set([bind, ...(bind === '::1' ? ['localhost'] : loopback)])]
      : [bind];
  const served = [...new Set(names)].map((name): ServedHost => {
    const host = `${name.includes(':') ? `[${name}]` : name}${port === 80 ? '' : `:${port}`}`;
    return { host, origin: `http://${host}` };
  });
  return [...allowed, ...served];
}

/** Addresses of this machine that others may reach, IPv4 first. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .sort((a, b) => (a.family < b.family ? -1 : a.family > b.family ? 1 : 0))
    .map(({ address }) => address);
}
