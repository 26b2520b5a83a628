/**
 * Addresses of the viewer's own pages relative to the page, so that a proxy may serve all of it below a path that the
 * viewer does not know.
 */

/** From an address to the root: `./` of `/`, `../` of `/runs/x`. */
export function rootFrom(url: string): string {
  const path = url.split('?', 1)[0];
  // what the guard refused may hold anything
  const depth = /^(?:\/[\w.+=,@-]*)*$/.test(path) ? path.split('/').length - 2 : 0;
  return depth <= 0 ? './' : '../'.repeat(Math.min(depth, 64));
}

/** The shell page with links that begin at the root made relative. */
export function withRoot(html: string, root: string): string {
  return html.replace(/\b(href|src)="\/(?!\/)/g, (_, name: string) => `${name}="${root}`);
}

/** Takes a path off the front of an address, where the proxy did not. @param base - `/user/x/proxy/4173` */
export function withoutBase(url: string, bases: readonly string[]): string {
  const base = bases.find((one) => url === one || url.startsWith(`${one}/`) || url.startsWith(`${one}?`));
  if (base === undefined) return url;
  const rest = url.slice(base.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
