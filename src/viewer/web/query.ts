/** Queries of addresses: of the letters that the server takes (guard.ts), whatever they say. Pure. */

export type Query = Readonly<Record<string, string>>;

/** What may stand in a query stays (guard.ts); every other byte of UTF-8 is `~` and two hexadecimal digits. */
export function queryText(query: Query): string {
  return Object.entries(query)
    .map(([key, value]) => `${encoded(key)}=${encoded(value)}`)
    .join('&');
}

/** @param search - with or without its `?`; what cannot be read is left out */
export function queryOf(search: string): Query {
  const found: Record<string, string> = {};
  for (const part of search.replace(/^\?/, '').split('&')) {
    // the address of a run may hold `=`, and somebody may write one by hand
    const at = part.indexOf('=');
    const key = decoded(part.slice(0, Math.max(0, at)));
    const value = decoded(part.slice(at + 1));
    if (key !== undefined && key !== '' && value !== undefined) found[key] = value;
  }
  return found;
}

function encoded(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return /[A-Za-z0-9_.,@+:!-]/.test(letter)
        ? letter
        : `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function decoded(text: string): string | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = /^~[0-9A-F]{2}/i.exec(text.slice(i, i + 3))?.[0];
    bytes.push(code === undefined ? text.charCodeAt(i) : parseInt(code.slice(1), 16));
    if (code !== undefined) i += 2;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}
