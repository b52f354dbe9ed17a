/** What the commands beside `npm start` are given: their flags, or a line that says which there are. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** As shells use it for a command that was called wrongly. */
const WRONGLY_CALLED = 2

/** A command was called with something that it does not take. The message says what, and what it takes. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'

  constructor(reason: string, usage: string) {
    super(`${reason}\nUsage: ${usage}`)
  }
}

/**
 * @param usage - the command with all that it takes, in one line
 * @throws WrongUsage for a flag that there is not, and for anything beside flags
 */
export function readFlags<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  usage: string,
) {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    const [reason] = (error as Error).message.split(/\.?\n|\. /)
    throw new WrongUsage(`${reason}.`, usage)
  }
}

/**
 * @param given - of the flag `name`
 * @throws WrongUsage for what is no whole number from `min` to `max`
 */
export function readCount(
  name: string,
  given: string,
  { min, max }: { readonly min: number; readonly max: number },
  usage: string,
): number {
  const count = Number(given)
  if (/^[0-9]{1,15}$/.test(given) && count >= min && count <= max) return count
  throw new WrongUsage(
    `--${name} must be a whole number, ${min} to ${max}, not ${JSON.stringify(given)}.`,
    usage,
  )
}

/** @returns what `read` gives; where that throws WrongUsage, says so and ends the process with code 2 */
export function orSayUsage<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error
    console.error(error.message)
    process.exit(WRONGLY_CALLED)
  }
}
