/**
 * Patterns of the policy language: `*` is any run of characters, also none and also `/`; `?` is one
 * character. Matching walks both with two pointers and goes back to the last `*` only, so that no
 * pattern takes more than pattern × text steps; a regular expression could take exponentially many.
 */

/** `*` and `?` among the code points of a glob. */
export const ANY_RUN = -1
export const ANY_ONE = -2

/** Code points, `ANY_RUN` and `ANY_ONE`. */
export type Glob = readonly number[]

/** @param text - in which `*` and `?` are wildcards and all else stands for itself */
export const parseGlob = (text: string): Glob =>
  Array.from(text, (character) => {
    if (character === '*') return ANY_RUN
    return character === '?' ? ANY_ONE : pointAt(character, 0)
  })

/** Whether all of the text fits the glob. */
export function matchesGlob(glob: Glob, text: string): boolean {
  let at = 0
  let unit = 0
  let lastRun = -1 // where in the glob, and how far in the text it has been taken to reach
  let reach = 0
  while (at < text.length) {
    const wanted = glob[unit]
    const point = pointAt(text, at)
    if (wanted === ANY_RUN) {
      if (unit === glob.length - 1) return true
      lastRun = unit
      reach = at
      unit += 1
    } else if (wanted === ANY_ONE || wanted === point) {
      unit += 1
      at += width(point)
    } else if (lastRun >= 0) {
      reach += width(pointAt(text, reach))
      at = reach
      unit = lastRun + 1
    } else {
      return false
    }
  }
  while (glob[unit] === ANY_RUN) unit += 1
  return unit === glob.length
}

const pointAt = (text: string, at: number): number => text.codePointAt(at) as number

const width = (point: number): number => (point > 0xffff ? 2 : 1)
