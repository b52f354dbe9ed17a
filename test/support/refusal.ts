/** What a client gets to see of a refusal. */
export interface Refusal {
  readonly name: string
  /** `null`: the answer had none. */
  readonly message: string | null
  readonly status: number | undefined
}

/** What the SDK's clients say when an error comes without a message. */
const NO_MESSAGE = 'UnknownError'

/** @returns the error of AWS's client, taken apart; fails when the call succeeds */
export async function refusalOf(attempt: Promise<unknown>): Promise<Refusal> {
  try {
    await attempt
  } catch (error) {
    const { name, message, $metadata } = error as Error & {
      $metadata?: { httpStatusCode?: number }
    }
    if ($metadata === undefined) throw error
    return {
      name,
      message: message === NO_MESSAGE ? null : message,
      status: $metadata.httpStatusCode,
    }
  }
  throw new Error('The call succeeded.')
}

/** A client error of KMS as it must look. */
export const refused = (name: string, message: string | null): Refusal => ({
  name,
  message,
  status: 400,
})
