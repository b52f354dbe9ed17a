/** What goes wrong for the person at the terminal, and how it is told. */

/** The command was given something that it does not take. Exit code 2. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

/** It could not be done, for a reason that is not the service's: no credentials, no answer, a file. */
export class Failure extends Error {
  override readonly name: string = 'Failure'
}

/** The service refused. */
export class Refusal extends Failure {
  override readonly name = 'Refusal'
  /** AWS's name of the error: `NoSuchEntityException`. */
  readonly code: string
  readonly requestId: string | null

  constructor(code: string, message: string, requestId: string | null) {
    super(message)
    this.code = code
    this.requestId = requestId
  }
}

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/** @returns whether the service refused by this error */
export const isRefusal = (error: unknown, code: string): error is Refusal =>
  error instanceof Refusal && error.code === code

/** @returns the exit code that tells a program what `error` is */
export const exitCodeOf = (error: unknown): number =>
  error instanceof WrongUsage ? EXIT.usage : EXIT.failed

/**
 * @param verbose - adds the request id; for what should not have happened, the stack trace
 * @returns what is written to standard error, with its line end
 */
export function problemText(error: unknown, verbose: boolean): string {
  if (error instanceof Refusal) {
    const id = verbose && error.requestId !== null ? `Request id: ${error.requestId}\n` : ''
    return `keyhold: ${sentence(error.message || unsaid(error))} (${error.code})\n${id}`
  }
  if (error instanceof Failure || error instanceof WrongUsage) {
    return `keyhold: ${sentence(error.message)}\n`
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return `keyhold: ${sentence(message)}\n${verbose && stack ? `${stack}\n` : ''}`
}

/** AWS sends some errors without a message. */
const unsaid = ({ code }: Refusal): string =>
  code === 'UnknownOperationException'
    ? 'This Keyhold does not have that operation'
    : 'The service refused'

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)
