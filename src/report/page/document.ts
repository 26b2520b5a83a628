/**
 * The frame of every page that is one file: no network, no storage, and a content policy that lets nothing run but what is
 * hashed here. A pure function, so that equal input gives equal bytes.
 */
import { createHash } from 'node:crypto';
import { Html, html, inlineScript } from './html.js';

export interface OfflineDocument {
  readonly title: string;
  /** words of the link that skips to `#main` */
  readonly skip: string;
  readonly styles: string;
  /** programs, not yet made fit to stand in a page */
  readonly scripts: readonly string[];
  /** what they read; stands before them */
  readonly data: readonly Html[];
  readonly body: Html;
  /** where pictures may come from */
  readonly images: 'data:' | 'data: blob:';
  /** it compiles WebAssembly; text is never evaluated */
  readonly hasWebAssembly: boolean;
}

const hashSource = (text: string): string =>
  `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;

/** @returns the whole file; UTF-8 */
export function offlineDocument(document: OfflineDocument): string {
  const { title, skip, styles, data, body, images, hasWebAssembly } = document;
  const scripts = document.scripts.map(inlineScript);
  const policy = [
    "default-src 'none'",
    ['script-src', ...scripts.map(hashSource), ...(hasWebAssembly ? ["'wasm-unsafe-eval'"] : [])].join(' '),
    `style-src ${hashSource(styles)}`,
    `img-src ${images}`,
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const programs = scripts.map((script) => new Html(`<script>${script}</script>`));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${new Html(`<style>${styles}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">${skip}</a>
        ${body} ${data} ${programs}
      </body>
    </html> `.text;
}
