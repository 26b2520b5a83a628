/** The body of a request as a checked value, with the complaints of a file's. */
import express, { type Request, type RequestHandler } from 'express';
import type { z } from 'zod';
import { printable, UserError } from '../../errors.js';
import { parseJsonStrict } from '../../io/json.js';
import { MAX_BODY, RefusedError } from './guard.js';

/** Express middleware: the bytes of a body, whose type and length the guard has looked at. */
export function bodyBytes(): RequestHandler {
  const isChange = ({ method }: { readonly method?: string | undefined }): boolean =>
    method !== 'GET' && method !== 'HEAD';
  return express.raw({ type: isChange, limit: MAX_BODY, inflate: false });
}

/** @throws UserError: no JSON, a doubled key, or another shape; one line that names the field */
export function bodyOf<T>(request: Request, schema: z.ZodType<T>): T {
  const bytes: unknown = request.body;
  if (!(bytes instanceof Uint8Array)) throw new RefusedError(400, 'The body is missing.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError('the body: found bytes that are not UTF-8, expected JSON.');
  }
  const options = { where: 'the body', maxLength: MAX_BODY, maxDepth: 8, maxValues: 4000 };
  const found = schema.safeParse(parseJsonStrict(text, options));
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const path = issue.path.map(String).join('.');
  throw new UserError(
    `${path === '' ? 'the body' : printable(path)}: ${printable(issue.message, 300).replace(/\.?$/, '.')}`,
  );
}
