/** Settings that are numbers of seconds. */

/** A day: what is longer than that was meant otherwise. */
const MAX_SECONDS = 86_400
const FORM = /^[0-9]{1,5}(?:\.[0-9]{1,3})?$/

/**
 * @param name - of the variable
 * @param standard - what counts when it is not set, or empty
 * @returns milliseconds
 * @throws RangeError with a sentence for whoever set it
 */
export function readSeconds(variables: NodeJS.ProcessEnv, name: string, standard: number): number {
  const text = variables[name] || String(standard)
  if (!FORM.test(text) || Number(text) > MAX_SECONDS) {
    throw new RangeError(
      `${name} must be a number of seconds, 0 to ${MAX_SECONDS}, not ${JSON.stringify(text)}.`,
    )
  }
  return Number(text) * 1000
}
