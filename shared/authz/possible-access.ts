/**
 * What a principal may do whatever its request is like, and what it may do if its request is like the
 * conditions want it: the decision of `decide` over all requests of one principal on one resource.
 *
 * Conditions that ask for who the principal is or what the resource is are decided. All others are
 * open: an Allow under one may apply or not, and so may a Deny.
 */
import {
  type AccessRequest,
  combine,
  evaluating,
  type GrantEffect,
  inputOf,
  layersFor,
  strongestGrant,
} from './decide.ts'
import { foldCase } from './fold-case.ts'
import type { Layer, Layers, Look, ResourceSays, Says } from './layers.ts'
import type { Statement, StatementInput } from './statement.ts'

export type Possibility = 'always' | 'conditional' | 'never'

/** A grant that may cover requests of the principal. */
export interface PossibleGrant {
  readonly grantId: string
  readonly effect: GrantEffect
  /** Whether it covers only requests of some encryption contexts. */
  readonly constrained: boolean
}

/** A statement that does something for, or against, the principal. */
export interface PossibleStatement {
  readonly layer: Layer
  /** `null` for the resource's own policy. */
  readonly policy: string | null
  readonly index: number
  readonly sid: string | null
  readonly effect: Statement['effect']
  /** The conditions that are open. */
  readonly conditions: Statement['conditions']
}

export interface PossibleAccess {
  readonly possibility: Possibility
  /** Allows that can apply, and denials that can take away what they give. */
  readonly statements: readonly PossibleStatement[]
  readonly grants: readonly PossibleGrant[]
}

/** Keys that a request has the same value for, whatever it is like. */
const SETTLED: ReadonlySet<string> = new Set(
  [
    'aws:PrincipalArn',
    'aws:PrincipalAccount',
    'aws:PrincipalType',
    'aws:ResourceAccount',
    'aws:userid',
    'aws:username',
    'kms:CallerAccount',
    'kms:CustomerMasterKeySpec',
    'kms:CustomerMasterKeyUsage',
    'kms:KeyOrigin',
    'kms:KeySpec',
    'kms:KeyUsage',
    'kms:MultiRegion',
    'kms:MultiRegionKeyType',
    'kms:ResourceAliases',
  ].map(foldCase),
)
const isSettled = (key: string): boolean =>
  SETTLED.has(foldCase(key)) || /^aws:(?:principaltag|resourcetag)\//i.test(key)

/**
 * @param request - of the principal, with what is settled of its context
 * @param grants - those that allow the action
 * @throws EvaluationError as `decide`
 */
export const possibleAccess = (
  request: AccessRequest,
  grants: readonly PossibleGrant[] = [],
): PossibleAccess =>
  evaluating(() => {
    const looks = allLooks(request)
    const input = inputOf(request)
    const counted = looks
      .map((look) => ({ look, applies: applicability(look, input) }))
      .filter(({ applies }) => applies !== 'never')
    const answer = (worst: boolean): boolean => {
      const counts = counted.filter(
        ({ look, applies }) => applies === 'always' || (look.statement.effect === 'Deny') === worst,
      )
      const usable = grants.filter(({ constrained }) => !worst || !constrained)
      const layers = layersIn(
        counts.map(({ look }) => look),
        request,
      )
      return combine(request, layers, strongestGrant(usable.map(({ effect }) => effect))).allowed
    }
    return {
      possibility: answer(true) ? 'always' : answer(false) ? 'conditional' : 'never',
      statements: counted.map(({ look }) => shown(look)),
      grants,
    }
  })

function allLooks(request: AccessRequest): readonly Look[] {
  const looks: Look[] = []
  const layers = layersFor(request, (look) => looks.push(look))
  layers.resource()
  layers.identity()
  layers.boundary()
  layers.session()
  return looks
}

/** Whether a statement applies to all requests, to some of them, or to none. */
function applicability(
  { statement, mismatch, addressed, layer }: Look,
  input: StatementInput,
): Possibility {
  if (layer === 'resource' && addressed === null) return 'never'
  if (typeof mismatch === 'string') return 'never'
  const settled = statement.conditions.filter(({ key }) => isSettled(key))
  const isDeny = statement.effect === 'Deny'
  if (!settled.every((condition) => condition.holds(input, isDeny))) return 'never'
  return settled.length === statement.conditions.length ? 'always' : 'conditional'
}

/** What the layers would say if just these statements applied. */
function layersIn(looks: readonly Look[], { caller }: AccessRequest): Layers {
  const says = (layer: Layer): Says => {
    const effects = looks
      .filter((look) => look.layer === layer)
      .map(({ statement }) => statement.effect)
    if (effects.includes('Deny')) return 'denied'
    return effects.includes('Allow') ? 'allowed' : 'silent'
  }
  return {
    resource: () => resourceSays(looks.filter(({ layer }) => layer === 'resource')),
    identity: () => says('identity'),
    boundary: () => (caller.boundary === null ? 'allowed' : says('boundary')),
    session: () => (caller.sessionPolicies === null ? 'allowed' : says('session')),
  }
}

function resourceSays(looks: readonly Look[]): ResourceSays {
  if (looks.some(({ statement }) => statement.effect === 'Deny')) return 'denied'
  const addressed = looks.map((look) => look.addressed)
  return (['caller', 'role', 'account'] as const).find((one) => addressed.includes(one)) ?? 'silent'
}

const shown = ({ layer, policy, index, statement }: Look): PossibleStatement => ({
  layer,
  policy,
  index,
  sid: statement.sid,
  effect: statement.effect,
  conditions: statement.conditions.filter(({ key }) => !isSettled(key)),
})
