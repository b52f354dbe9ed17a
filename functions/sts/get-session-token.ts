import { QueryError } from '../../shared/errors.ts'
import { queryInteger } from '../../shared/lambda/query-form.ts'
import type { QueryOperation } from '../../shared/lambda/query-stack.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'
import {
  type Credentials,
  credentialsOf,
  noSecondFactor,
  recordedCredentials,
} from './credentials.ts'
import { serialNumber, tokenCode } from './sts-members.ts'

const request = structure({
  DurationSeconds: queryInteger({ min: 900, max: 129_600 }),
  SerialNumber: serialNumber,
  TokenCode: tokenCode,
})

const DEFAULT_SECONDS = 43_200

/** Temporary credentials of the user who asks; they may do what the user may. */
export const getSessionToken: QueryOperation<Input<typeof request>> = {
  service: 'sts',
  name: 'GetSessionToken',
  input: request,
  readOnly: true,
  async run(input, _keys, { caller, services }) {
    if (caller.session !== null) {
      throw new QueryError(
        'AccessDenied',
        403,
        'Cannot call GetSessionToken with session credentials',
      )
    }
    if (input.SerialNumber !== undefined || input.TokenCode !== undefined) throw noSecondFactor()
    const issued = await services.sessions.begin({
      account: caller.account,
      principalId: caller.principalId,
      sessionName: null,
      durationSeconds: input.DurationSeconds ?? DEFAULT_SECONDS,
      tags: [],
      transitiveTagKeys: [],
      limits: null,
      sourceIdentity: null,
      federated: null,
    })
    return { Credentials: credentialsOf(issued) }
  },
  audit: {
    requestParameters: ({ DurationSeconds }) => ({ durationSeconds: DurationSeconds }),
    responseElements: (output) => ({
      credentials: recordedCredentials(output.Credentials as Credentials),
    }),
  },
}
