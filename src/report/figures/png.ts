/** Title and resolution in a PNG: chunks after its header. */

const HEADER_END = 33;
const PIXELS_PER_METRE = 1 / 0.0254;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** @param png - a whole PNG file; not changed */
export function labelledPng(png: Uint8Array, title: string, dpi: number): Uint8Array<ArrayBuffer> {
  const size = new Uint8Array(9);
  const view = new DataView(size.buffer);
  view.setUint32(0, Math.round(dpi * PIXELS_PER_METRE));
  view.setUint32(4, Math.round(dpi * PIXELS_PER_METRE));
  size[8] = 1; // the unit is the metre
  const chunks = [chunk('pHYs', size), text('Title', title), text('Software', 'sumlens')];
  return joined([png.subarray(0, HEADER_END), ...chunks, png.subarray(HEADER_END)]);
}

/** Text in Latin-1 where it fits, and otherwise international text (UTF-8, not compressed). */
function text(keyword: string, value: string): Uint8Array {
  const encoder = new TextEncoder();
  const key = encoder.encode(keyword);
  if (/^[\x20-\x7e\xa0-\xff]*$/.test(value))
    return chunk('tEXt', joined([key, Uint8Array.of(0), Uint8Array.from(value, (c) => c.charCodeAt(0))]));
  // not compressed, no language, no translated keyword
  return chunk('iTXt', joined([key, new Uint8Array(5), encoder.encode(value)]));
}

/** Length, type, data, and the check sum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined([new TextEncoder().encode(type), data]);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, data.length);
  ends.setUint32(4, ~body.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), ~0));
  const bytes = new Uint8Array(ends.buffer);
  return joined([bytes.subarray(0, 4), body, bytes.subarray(4)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
