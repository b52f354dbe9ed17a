import type { CallRecord } from '../../shared/audit/record.ts'
import { JsonError } from '../../shared/errors.ts'
import { authorizeKey } from '../../shared/pipeline/authorize.ts'
import { type ExplanationView, explanationView } from '../../shared/pipeline/explanation.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import {
  circumstancesOf,
  type PastCallId,
  type PastUse,
  recordOf,
  usesOf,
} from '../../shared/pipeline/past-call.ts'
import { resolveKey } from '../../shared/pipeline/resolve.ts'
import { type Input, string, structure, timestamp } from '../../shared/pipeline/shape.ts'
import { explainSupposed } from '../../shared/pipeline/supposed-call.ts'

const uuid = string({ min: 36, max: 36, pattern: /^[0-9a-f-]+$/ })
const request = structure({ RequestId: uuid, EventId: uuid, Since: timestamp })
type ExplainRequestRequest = Input<typeof request>

export interface ExplainRequestResponse {
  /** What happened then. */
  readonly Recorded: {
    readonly EventId: string
    readonly EventName: string
    readonly EventTime: string
    readonly PrincipalArn: string
    readonly Outcome: 'Allowed' | 'Denied'
    readonly ErrorCode?: string
    readonly ErrorMessage?: string
  }
  /** What would be decided now, for each permission that the call needs. */
  readonly Explanations: readonly (ExplanationView & {
    readonly Action: string
    readonly KeyId: string
  })[]
  /** Whether the same would be decided now. */
  readonly Agrees: boolean
}

/**
 * Why a call of the account was allowed or denied: its record, and what the policies and grants say of
 * it as they are now. For whoever may read the policies of the keys that it used.
 */
export const explainRequest: Operation<ExplainRequestRequest, ExplainRequestResponse> = {
  service: 'keyhold',
  name: 'ExplainRequest',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:ExplainAccess', resource: null }],
  async run(input, _keys, call) {
    const record = await recordOf(idOf(input), input.Since, call)
    const uses = usesOf(record)
    if (uses.length === 0) {
      throw new JsonError('InvalidInputException', `${record.eventName} uses no key.`)
    }
    const then = await circumstancesOf(record, call)
    const Explanations = []
    for (const use of uses) Explanations.push(await explainUse(use, then, call))
    const Outcome = record.errorCode === 'AccessDenied' ? 'Denied' : 'Allowed'
    const allowed = Explanations.every(({ Decision }) => Decision === 'Allowed')
    return {
      Recorded: { ...shown(record), Outcome },
      Explanations,
      Agrees: allowed === (Outcome === 'Allowed'),
    }
  },
  audit: {
    requestParameters: ({ RequestId, EventId }) => ({ requestId: RequestId, eventId: EventId }),
  },
}

function idOf({ RequestId, EventId }: ExplainRequestRequest): PastCallId {
  if (RequestId !== undefined && EventId === undefined)
    return { key: 'RequestId', value: RequestId }
  if (EventId !== undefined && RequestId === undefined) return { key: 'EventId', value: EventId }
  throw new JsonError('InvalidInputException', 'Give either RequestId or EventId.')
}

async function explainUse(
  { action, key: text, conditions }: PastUse,
  then: Awaited<ReturnType<typeof circumstancesOf>>,
  call: Call,
) {
  const name = { by: 'identifier', text, aliases: true } as const
  const use = { ...readKey(text, 'kms:GetKeyPolicy'), name }
  const resolved = await resolveKey(use, call)
  const key = await authorizeKey({ use, resolved, conditions: {}, tokens: [] }, call)
  const explanation = await explainSupposed(
    { caller: then.caller, action, key, conditions },
    then.call,
  )
  return { Action: action, KeyId: key.arn, ...explanationView(explanation) }
}

const shown = (record: CallRecord) => ({
  EventId: record.eventID,
  EventName: record.eventName,
  EventTime: record.eventTime,
  PrincipalArn: record.userIdentity.arn ?? record.userIdentity.principalId,
  ...(record.errorCode === undefined ? {} : { ErrorCode: record.errorCode }),
  ...(record.errorMessage === undefined ? {} : { ErrorMessage: record.errorMessage }),
})
