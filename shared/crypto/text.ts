/**
 * Text as bytes, so that different texts give different bytes. JavaScript strings, and JSON with
 * its `\ud800`, can hold halves of surrogate pairs; UTF-8 encoders turn each of them into U+FFFD,
 * which would make different texts equal. Halves are therefore encoded as the WTF-8 encoding says
 * (generalised UTF-8, three bytes each), which changes nothing for well-formed text.
 */

/** @returns UTF-8, or WTF-8 where the text is not well-formed; injective, not normalised */
export const encodeText = (text: string): Buffer =>
  text.isWellFormed() ? Buffer.from(text, 'utf8') : Buffer.concat([...text].map(encodeCodePoint))

function encodeCodePoint(character: string): Buffer {
  if (character.isWellFormed()) return Buffer.from(character, 'utf8')
  const half = character.charCodeAt(0)
  return Buffer.of(0xe0 | (half >> 12), 0x80 | ((half >> 6) & 0x3f), 0x80 | (half & 0x3f))
}
