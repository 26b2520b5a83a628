/** Response headers: one strict policy for the viewer's own pages, a sandbox for reports. No CORS header anywhere. */
import helmet from 'helmet';
import type { RequestHandler } from 'express';

/**
 * A report is a program that somebody may have sent: it runs in an origin of its own, so that it can read nothing of
 * the viewer, and it reaches no other host: everything it shows is in it. Its own meta policy applies on top of this header.
 */
export const REPORT_POLICY = [
  'sandbox allow-scripts allow-downloads allow-modals',
  "default-src 'none'",
  // a report with a playground compiles WebAssembly
  "script-src 'unsafe-inline' 'wasm-unsafe-eval'",
  "style-src 'unsafe-inline'",
  'img-src data: blob:',
  'font-src data:',
  "connect-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
].join('; ');

export function ownHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        // the playground compiles WebAssembly; text is never evaluated
        scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        frameSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ["'none'"],
      },
    },
    // plain HTTP on the loopback address: there is nothing to upgrade to
    strictTransportSecurity: false,
    xFrameOptions: { action: 'sameorigin' },
    // reports are of another origin on the same address, so the browser could not keep the promise
    originAgentCluster: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
}
