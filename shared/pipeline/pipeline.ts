/**
 * The one way that every operation runs: resolve → authorize → check → run → record. The record is
 * durable before the answer is given to whoever asked; when it cannot be written, there is no answer.
 */
import { buildRecord, sharedRecords } from '../audit/build-record.ts'
import { LedgerUnavailable } from '../audit/ledger.ts'
import { ApiError, JsonError } from '../errors.ts'
import { HsmUnavailable } from '../hsm/hsm.ts'
import { type AccountId, parseAccountId } from '../ids.ts'
import { requireState } from '../keys/key-states.ts'
import type { FoundKey } from '../keys/keys.ts'
import { StoreUnavailable } from '../store/repositories.ts'
import type { GrantAddress } from '../tenants/grant-tokens.ts'
import { authorizeKey, authorizePermission } from './authorize.ts'
import { dryRunSucceeded } from './dry-run.ts'
import { openGrantTokens } from './grants.ts'
import type { Call, KeysByRole, KeyUse, Operation, RequestConditions } from './operation.ts'
import { insist } from './overtaken.ts'
import { resolveKey } from './resolve.ts'
import { wipeMembers } from './wipe.ts'

/** What an operation leaves for its record, filled in step by step so that a refusal shows it too. */
interface Progress<Input, Output, Role extends string> {
  input?: Input
  keys: Partial<Record<Role, FoundKey>>
  output?: Output
  /** Whether the request was charged to a quota; it is only once, however often it starts anew. */
  charged: boolean
}

/**
 * Runs an operation for a caller.
 * @param decode - gives the input or throws what is wrong with it; its refusal is recorded too
 * @throws ApiError whatever the caller is to be told
 */
export async function execute<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  decode: () => Input,
  call: Call,
): Promise<Output> {
  const progress: Progress<Input, Output, Role> = { keys: {}, charged: false }
  let failure: ApiError | null = null
  try {
    progress.input = decode()
    progress.output = await insistently(operation, progress.input, progress, call)
  } catch (error) {
    failure = asApiError(error, operation)
  }
  try {
    await record(operation, progress, failure, call)
  } catch (error) {
    wipeMembers(progress.output) // nobody gets to see it
    throw error
  }
  if (failure !== null) throw failure
  return progress.output as Output
}

/**
 * Runs an operation on behalf of a caller of another one, in this process: authorized, checked and
 * recorded like any call.
 * @param via - the service that asks for its caller
 */
export const invoke = <Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  input: Input,
  call: Call,
  via: 's3',
): Promise<Output> => execute(operation, () => input, { ...call, via })

/** A call that another change came before starts anew: what authorized it may hold no more. */
function insistently<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  input: Input,
  progress: Progress<Input, Output, Role>,
  call: Call,
): Promise<Output> {
  const attempt = (): Promise<Output> => perform(operation, input, progress, call)
  if (operation.service !== 'kms') return attempt()
  return insist(() => {
    progress.keys = {}
    return attempt()
  })
}

async function perform<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  input: Input,
  progress: Progress<Input, Output, Role>,
  call: Call,
): Promise<Output> {
  charge(operation, input, progress, call)
  requirePrincipal(operation, call)
  for (const permission of (await operation.permissions?.(input, call)) ?? []) {
    authorizePermission(permission, operation.conditions?.(input, null) ?? {}, call)
  }
  const uses = await authorizeKeys(operation, input, progress, call)
  charge(operation, input, progress, call)
  const keys = progress.keys as KeysByRole<Role>
  operation.check?.(input, keys, call)
  for (const [role, use] of uses) requireUsable(operation, keys[role], use)
  const output = await operation.run(input, keys, call)
  if (operation.dryRun && (input as { DryRun?: boolean }).DryRun === true) {
    wipeMembers(output)
    throw dryRunSucceeded()
  }
  return output
}

/** Before anything is looked up where the request alone tells its quota, otherwise once its key is known. */
function charge<Input, Output, Role extends string>(
  { service, name }: Operation<Input, Output, Role>,
  input: Input,
  progress: Progress<Input, Output, Role>,
  { caller, region, services }: Call,
): void {
  if (progress.charged) return
  const [found] = Object.values<FoundKey | undefined>(progress.keys)
  const request = { service, name, input, keySpec: found?.key.keySpec ?? null }
  progress.charged = services.requestRates.charge(request, caller, region)
}

/**
 * Without a second factor, which there is none of, sessions of users do nothing to principals (STS
 * API reference, "GetSessionToken"): a stolen one must not become an access key.
 */
function requirePrincipal(
  { service, name }: Pick<Operation<unknown, unknown>, 'service' | 'name'>,
  { caller }: Call,
): void {
  if (service !== 'iam' || caller.kind !== 'User' || caller.session === null) return
  throw new JsonError('AccessDeniedException', `Cannot call ${name} with session credentials`)
}

/** One key after the other, so that a refusal tells nothing of the keys that come after. */
async function authorizeKeys<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  input: Input,
  { keys }: Progress<Input, Output, Role>,
  call: Call,
): Promise<readonly [Role, KeyUse][]> {
  const uses = Object.entries((await operation.keys?.(input, call)) ?? {}) as [Role, KeyUse][]
  let tokens: readonly GrantAddress[] | undefined
  for (const [role, use] of uses) {
    const resolved = await resolveKey(use, call)
    if (resolved.account === call.caller.account && resolved.found !== null) {
      keys[role] = resolved.found
    }
    const conditions = withConditionsOf(use, operation.conditions?.(input, role) ?? {})
    tokens ??= await openGrantTokens(operation.name, input, call)
    keys[role] =
      use.authorize === undefined
        ? await authorizeKey({ use, resolved, conditions, tokens }, call)
        : await use.authorize(resolved, call)
  }
  return uses
}

const withConditionsOf = (use: KeyUse, conditions: RequestConditions): RequestConditions =>
  use.conditions === undefined
    ? conditions
    : { ...conditions, others: { ...conditions.others, ...use.conditions } }

/** Usage before state: a wrong usage is told even of a disabled key, as AWS does. */
function requireUsable<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  { key, arn, state }: FoundKey,
  use: KeyUse,
): void {
  if (use.usage !== undefined && key.keyUsage !== use.usage) {
    throw new JsonError(
      'InvalidKeyUsageException',
      `${arn} key usage is ${key.keyUsage} which is not valid for ${operation.name}.`,
    )
  }
  requireState(state, arn, use.states)
}

const DEPENDENCY_TEXT =
  'The system timed out while trying to fulfill the request. You can retry the request.'

/** Anything that is not meant for the caller becomes an error that says nothing; the cause is kept for the log. */
function asApiError(
  error: unknown,
  { service, explain }: Pick<Operation<unknown, unknown>, 'service' | 'explain'>,
): ApiError {
  if (explain !== undefined) return explain(error)
  if (error instanceof ApiError) return error
  const cause = { cause: error }
  const unavailable =
    error instanceof StoreUnavailable ||
    error instanceof HsmUnavailable ||
    error instanceof LedgerUnavailable
  if (service !== 'kms') {
    return new JsonError(
      unavailable ? 'ServiceUnavailableException' : 'InternalFailure',
      undefined,
      cause,
    )
  }
  return unavailable
    ? new JsonError('DependencyTimeoutException', DEPENDENCY_TEXT, cause)
    : new JsonError('KMSInternalException', undefined, cause)
}

async function record<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  { input, keys, output }: Progress<Input, Output, Role>,
  failure: ApiError | null,
  call: Call,
): Promise<void> {
  const { audit } = operation
  const told = failure === null && input !== undefined ? { output: output as Output, input } : null
  const additionalEventData = told && (audit.additionalEventData?.(told.output, told.input) ?? null)
  const keyResources = Object.values<FoundKey | undefined>(keys).flatMap((found) =>
    found === undefined
      ? []
      : [
          {
            accountId: found.key.account as string,
            type: 'AWS::KMS::Key',
            ARN: found.arn as string,
          },
        ],
  )
  const others = input === undefined ? [] : (audit.resources?.(input) ?? [])
  const entry = buildRecord({
    caller: call.caller,
    eventTime: call.services.wallClock.now(),
    eventSource: `${operation.service}.amazonaws.com`,
    eventName: operation.name,
    region: call.region,
    sourceIp: call.sourceIp,
    userAgent: call.userAgent,
    ...(call.via === null ? {} : { via: call.via }),
    ...(failure === null ? {} : { error: { code: failure.code, message: failure.text } }),
    requestParameters: input === undefined ? null : audit.requestParameters(input, keys),
    responseElements: told && (audit.responseElements?.(told.output, keys) ?? null),
    ...(additionalEventData === null ? {} : { additionalEventData }),
    requestId: call.requestId,
    readOnly: operation.readOnly,
    resources: [...keyResources, ...others],
    category: audit.category ?? 'Management',
  })
  // A refusal is nobody's business but the caller's.
  const owners = failure === null ? ownersOf(keys, others, call) : []
  try {
    await Promise.all(
      sharedRecords(entry, owners).map((each, at) =>
        call.services.ledger.append(owners[at - 1] ?? call.caller.account, call.region, each),
      ),
    )
  } catch (error) {
    throw asApiError(error, operation)
  }
}

/** The other accounts whose keys a call used, or whose roles it assumed. */
function ownersOf(
  keys: Partial<Record<string, FoundKey>>,
  others: readonly { readonly accountId: string; readonly type: string }[],
  { caller }: Call,
): readonly AccountId[] {
  const owners = new Set<AccountId>()
  for (const found of Object.values(keys)) if (found !== undefined) owners.add(found.key.account)
  for (const { type, accountId } of others) {
    const account = type === 'AWS::IAM::Role' ? parseAccountId(accountId) : null
    if (account !== null) owners.add(account)
  }
  owners.delete(caller.account)
  return [...owners]
}
