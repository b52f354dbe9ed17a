/** How far long work is, on standard error and for people only. */

export interface Progress {
  /** @param text - what has been done so far: `120 keys` */
  tell(text: string): void
  /** Removes what was told. */
  end(): void
}

const EVERY_MS = 100
/** Work that ends within this time shows nothing. */
const QUIET_MS = 400
const CLEAR_LINE = '\r\x1b[K'

/** @param stream - nothing is written where it is no terminal */
export function progressOn(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  now: () => number = Date.now,
): Progress {
  let next = now() + QUIET_MS
  let shown = false
  return {
    tell(text) {
      if (stream.isTTY !== true || now() < next) return
      next = now() + EVERY_MS
      shown = true
      stream.write(`${CLEAR_LINE}${text} …`)
    },
    end() {
      if (shown) stream.write(CLEAR_LINE)
      shown = false
    },
  }
}
