/** What each layer of policies says of a request, by itself. */
import type { Caller } from '../authn/caller.ts'
import type { PolicyDocument } from '../store/records.ts'
import { compilePolicy } from './policy.ts'
import type { PolicyKind } from './policy-kinds.ts'
import { type Addressed, addresses, type PrincipalElement } from './principals.ts'
import { type Mismatch, mismatch, type Statement, type StatementInput } from './statement.ts'

export type Layer = 'resource' | 'identity' | 'boundary' | 'session'

/** What the policies of a principal, or those that limit it, say. */
export type Says = 'denied' | 'allowed' | 'silent'

/** What a resource's policy says: `denied`, or how the strongest Allow speaks of the caller. */
export type ResourceSays = 'denied' | Addressed | 'silent'

/** Each is asked at most once, and only when its answer can matter. */
export interface Layers {
  resource(): ResourceSays
  identity(): Says
  /** `allowed` where there is none. */
  boundary(): Says
  session(): Says
}

/** One statement that was looked at. */
export interface Look {
  readonly layer: Layer
  /** Name of the policy; `null` for the one that a resource has. */
  readonly policy: string | null
  readonly statement: Statement
  /** From 0. */
  readonly index: number
  /** `null`: the statement matches. */
  readonly mismatch: Mismatch | null
  /** How a resource's policy speaks of the caller. */
  readonly addressed: Addressed | null
}

/** Is shown every statement; nothing is passed over then. */
export type Watch = (look: Look) => void

export interface ResourcePolicy {
  readonly text: string | null
  readonly kind: PolicyKind
  /** How a statement speaks of whoever asks. */
  addresses(principal: PrincipalElement, effect: Statement['effect']): Addressed | null
}

/**
 * @param watch - `null` when only the answers are asked for
 * @throws PolicyProblem when a policy that is asked does not compile
 */
export const layersOf = (
  caller: Caller,
  resource: ResourcePolicy,
  input: StatementInput,
  watch: Watch | null,
): Layers => ({
  resource: () => resourceSays(resource, input, watch),
  identity: () => documentsSay('identity', caller.policies, input, watch),
  boundary: () =>
    caller.boundary === null
      ? 'allowed'
      : documentsSay('boundary', [caller.boundary], input, watch),
  session: () =>
    caller.sessionPolicies === null
      ? 'allowed'
      : documentsSay('session', caller.sessionPolicies, input, watch),
})

/** What several policies of one layer say together. */
function documentsSay(
  layer: Exclude<Layer, 'resource'>,
  documents: readonly PolicyDocument[],
  input: StatementInput,
  watch: Watch | null,
): Says {
  const kind = layer === 'session' ? 'session' : 'identity'
  let says: Says = 'silent'
  for (const { name, document } of documents) {
    const { statements } = compilePolicy(document, kind)
    let index = -1 // counted by hand: an iterator of entries costs as much as a statement
    for (const statement of statements) {
      const { effect } = statement
      index += 1
      if (watch === null && effect === 'Allow' && says === 'allowed') continue
      const failed = mismatch(statement, input)
      watch?.({ layer, policy: name, statement, index, mismatch: failed, addressed: null })
      if (failed !== null || says === 'denied') continue
      if (effect === 'Allow') says = 'allowed'
      else if (watch === null) return 'denied'
      else says = 'denied'
    }
  }
  return says
}

const STRENGTH: Readonly<Record<ResourceSays, number>> = {
  silent: 0,
  account: 1,
  role: 2,
  caller: 3,
  denied: 4,
}

/** What a resource's policy says of whoever asks. */
export function resourceSays(
  { text, kind, addresses: addressedBy }: ResourcePolicy,
  input: StatementInput,
  watch: Watch | null,
): ResourceSays {
  let says: ResourceSays = 'silent'
  if (text === null) return says
  let index = -1
  for (const statement of compilePolicy(text, kind).statements) {
    const { effect, principal } = statement
    index += 1
    const addressed = principal === null ? null : addressedBy(principal, effect)
    const failed = addressed === null ? 'principal' : mismatch(statement, input)
    watch?.({ layer: 'resource', policy: null, statement, index, mismatch: failed, addressed })
    if (addressed === null || failed !== null) continue
    const said = effect === 'Deny' ? 'denied' : addressed
    if (STRENGTH[said] > STRENGTH[says]) says = said
    if (says === 'denied' && watch === null) return says
  }
  return says
}

/** How a statement speaks of a caller that is a principal. */
export const addressing =
  (caller: Caller): ResourcePolicy['addresses'] =>
  (principal) =>
    addresses(principal, caller)
