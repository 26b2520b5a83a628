/** SHA-256, the one hash of ids, manifests and reports. Node only. */
import { createHash } from 'node:crypto';

/** @returns 64 lower-case hexadecimal digits; text is hashed as UTF-8 */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
