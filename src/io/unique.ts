/** What differs each time: random letters for names, and the wall clock for ages of files. Never in a result. */
import { randomBytes } from 'node:crypto';

/** Twelve letters that no other process comes upon. */
export const randomLetters = (): string => randomBytes(6).toString('hex');

/** 32 letters that nobody guesses: 24 bytes, of which `-` and `_` may be a part. */
export const secretLetters = (): string => randomBytes(24).toString('base64url');

export const now = (): Date => new Date();

/** @param timeMs - a file's time, since 1970 */
export const millisecondsSince = (timeMs: number): number => Date.now() - timeMs;
