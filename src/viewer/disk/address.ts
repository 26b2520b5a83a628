/** Names of folders as one part of an address that needs no percent sign: see guard.ts. */
import { sha256Hex } from '../../io/sha256.js';
import { ADDRESS_NAME } from '../contract.js';

const SAFE = /[A-Za-z0-9._+,@-]/;
/** Names of runs and reports as this program makes them. */
const USUAL = /^[A-Za-z0-9_][A-Za-z0-9._+,@-]{0,159}$/;
const HASH_LETTERS = 24;

/**
 * A usual name stays as it is. Of others each byte that may not stand there is `=` and two hexadecimal digits
 * (`exp/run` is `exp=2Frun`); one whose first byte may not come first gets `_==` before it, one that is too long is a
 * hash behind `_h==`. Different names have different addresses: no encoded name holds `==`.
 */
export function addressOf(name: string): string {
  if (USUAL.test(name)) return name;
  const text = [...new TextEncoder().encode(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return SAFE.test(letter) ? letter : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  if (ADDRESS_NAME.test(text)) return text;
  const address = `_==${text}`;
  return ADDRESS_NAME.test(address) ? address : `_h==${sha256Hex(name).slice(0, HASH_LETTERS)}`;
}
