/**
 * Why a request is allowed or denied: the decision together with every statement that was looked at,
 * and of each that does not match, what keeps it from matching. It is evaluated by what `decide`
 * evaluates it by, so it cannot tell another story.
 */
import { givenValues } from './condition.ts'
import {
  type AccessRequest,
  combine,
  type Decision,
  evaluating,
  type GrantEffect,
  inputOf,
  layersFor,
  strongestGrant,
} from './decide.ts'
import type { Layer, Layers, Look } from './layers.ts'
import { type Addressed, principalTexts } from './principals.ts'
import type { StatementInput } from './statement.ts'

/** A grant that was looked at for the request. */
export interface ConsideredGrant {
  readonly grantId: string
  /** `null`: it does not cover the request. */
  readonly effect: GrantEffect | null
  /** What keeps it from covering the request, for whoever reads the explanation. */
  readonly failed: string | null
}

/** An element of a statement that does not fit the request. */
export type FailedElement =
  | {
      readonly element: 'principal' | 'action' | 'resource'
      /** Whether the statement says who or what is not meant (`NotAction`). */
      readonly negated: boolean
      readonly wanted: readonly string[]
    }
  | {
      readonly element: 'condition'
      /** As written: `StringEqualsIfExists`. */
      readonly operator: string
      /** As written: `kms:EncryptionContext:AppName`. */
      readonly key: string
      /** As written, variables and all. */
      readonly wanted: readonly string[]
      /** What the request has; `null`: nothing. */
      readonly given: readonly string[] | null
    }

export interface ExplainedStatement {
  readonly layer: Layer
  /** Name of the identity policy, boundary or session policy; `null` for the resource's own. */
  readonly policy: string | null
  /** From 0, as the policy's statements are written. */
  readonly index: number
  readonly sid: string | null
  readonly effect: 'Allow' | 'Deny'
  readonly matched: boolean
  /** Of the resource's policy: how the statement speaks of the caller. */
  readonly addressed: Addressed | null
  /** Of a statement that does not match: the first element that does not fit, or every condition. */
  readonly failed: readonly FailedElement[]
}

export interface Explanation {
  readonly decision: Decision
  /** The layers one after the other, each in the order of its documents. */
  readonly statements: readonly ExplainedStatement[]
  readonly grants: readonly ConsideredGrant[]
}

/**
 * @param grants - those of the caller on the key, whether or not they cover the request
 * @returns the decision that `decide` gives with the strongest of the grants
 * @throws EvaluationError as `decide`
 */
export const explain = (
  request: AccessRequest,
  grants: readonly ConsideredGrant[] = [],
): Explanation =>
  evaluating(() => {
    const looks: Look[] = []
    const says = asked(layersFor(request, (look) => looks.push(look)))
    const input = inputOf(request)
    return {
      decision: combine(request, says, strongestGrant(grants.map(({ effect }) => effect))),
      statements: looks.map((look) => explained(look, input)),
      grants,
    }
  })

/** All layers, asked now, whether or not their answer matters. */
function asked(layers: Layers): Layers {
  const resource = layers.resource()
  const identity = layers.identity()
  const boundary = layers.boundary()
  const session = layers.session()
  return {
    resource: () => resource,
    identity: () => identity,
    boundary: () => boundary,
    session: () => session,
  }
}

function explained(look: Look, input: StatementInput): ExplainedStatement {
  const { layer, policy, index, statement, mismatch, addressed } = look
  const { sid, effect } = statement
  const matched = mismatch === null
  return {
    layer,
    policy,
    index,
    sid,
    effect,
    matched,
    addressed,
    failed: matched ? [] : failedElements(look, input),
  }
}

function failedElements(
  { statement, mismatch }: Look,
  input: StatementInput,
): readonly FailedElement[] {
  const { principal, conditions, effect } = statement
  switch (mismatch) {
    case 'principal':
      return [
        {
          element: 'principal',
          negated: principal?.negated ?? false,
          wanted: principal === null ? [] : principalTexts(principal),
        },
      ]
    case 'action':
    case 'resource': {
      const { negated, texts } = statement[mismatch] ?? { negated: false, texts: [] }
      return [{ element: mismatch, negated, wanted: texts }]
    }
    default:
      return conditions
        .filter((condition) => !condition.holds(input, effect === 'Deny'))
        .map((condition) => ({
          element: 'condition',
          operator: condition.operator,
          key: condition.key,
          wanted: condition.wanted,
          given: givenValues(condition, input),
        }))
  }
}
