import { type CloudTrailEvent, type LookupPosition, lookup } from '../../shared/audit/lookup.ts'
import { JsonError } from '../../shared/errors.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import {
  type Input,
  integer,
  list,
  oneOf,
  required,
  string,
  structure,
  timestamp,
} from '../../shared/pipeline/shape.ts'

const MAX_RESULTS = 50

const request = structure({
  LookupAttributes: list(
    structure({
      AttributeKey: required(
        oneOf([
          'EventId',
          'EventName',
          'ReadOnly',
          'Username',
          'ResourceType',
          'ResourceName',
          'EventSource',
          'AccessKeyId',
        ]),
      ),
      AttributeValue: required(string({ min: 1, max: 2000 })),
    }),
  ),
  StartTime: timestamp,
  EndTime: timestamp,
  EventCategory: oneOf(['insight']),
  MaxResults: integer(),
  NextToken: string(),
})
type LookupEventsRequest = Input<typeof request>

export interface LookupEventsResponse {
  readonly Events: readonly CloudTrailEvent[]
  readonly NextToken?: string
}

/** The account's own management events in the Region, newest first. */
export const lookupEvents: Operation<LookupEventsRequest, LookupEventsResponse> = {
  service: 'cloudtrail',
  name: 'LookupEvents',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'cloudtrail:LookupEvents', resource: null }],
  async run(input, _keys, call) {
    requireSensible(input)
    if (input.EventCategory === 'insight') return { Events: [] } // none are made
    const { account } = call.caller
    const listing = listingOf(input, call)
    const { events, next } = await lookup(call.services.store.ledger, {
      account,
      region: call.region,
      start: input.StartTime?.getTime() ?? null,
      end: input.EndTime?.getTime() ?? null,
      attribute: attributeOf(input),
      limit: input.MaxResults ?? MAX_RESULTS,
      after: await position(input.NextToken, listing, call),
    })
    if (next === null) return { Events: events }
    const NextToken = await call.services.markers.seal(listing, JSON.stringify(next))
    return { Events: events, NextToken }
  },
  audit: {
    requestParameters: ({ LookupAttributes, StartTime, EndTime, MaxResults }) => ({
      lookupAttributes: LookupAttributes?.map(({ AttributeKey, AttributeValue }) => ({
        attributeKey: AttributeKey,
        attributeValue: AttributeValue,
      })),
      startTime: StartTime?.toISOString(),
      endTime: EndTime?.toISOString(),
      maxResults: MaxResults,
    }),
  },
}

function requireSensible(input: LookupEventsRequest): void {
  const { LookupAttributes = [], MaxResults = MAX_RESULTS, StartTime, EndTime } = input
  if (LookupAttributes.length > 1) {
    throw new JsonError(
      'InvalidLookupAttributesException',
      'You can only specify one lookup attribute in the request.',
    )
  }
  if (MaxResults < 1 || MaxResults > MAX_RESULTS) {
    throw new JsonError(
      'InvalidMaxResultsException',
      `A maximum of ${MAX_RESULTS} results can be returned at once; at least 1 must be.`,
    )
  }
  if (StartTime !== undefined && EndTime !== undefined && StartTime > EndTime) {
    throw new JsonError('InvalidTimeRangeException', 'The start time must be before the end time.')
  }
}

function attributeOf({ LookupAttributes = [] }: LookupEventsRequest) {
  const [attribute] = LookupAttributes
  if (attribute === undefined) return null
  return { key: attribute.AttributeKey, value: attribute.AttributeValue }
}

/** A token is good only for the same question. */
const listingOf = (input: LookupEventsRequest, { caller, region }: Call) => ({
  account: caller.account,
  region,
  operation: 'LookupEvents',
  parameters: [
    JSON.stringify(input.LookupAttributes ?? []),
    String(input.StartTime?.getTime() ?? ''),
    String(input.EndTime?.getTime() ?? ''),
  ],
})

async function position(
  token: string | undefined,
  listing: ReturnType<typeof listingOf>,
  call: Call,
): Promise<LookupPosition | null> {
  if (token === undefined) return null
  const text = await call.services.markers.open(listing, token)
  if (text === null) throw new JsonError('InvalidNextTokenException')
  return JSON.parse(text) as LookupPosition
}

export const handler = jsonHandler(lookupEvents)
