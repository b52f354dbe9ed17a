import { JsonError } from '../../shared/errors.ts'
import { contextValues, keyAction, subjectArn } from '../../shared/pipeline/access-members.ts'
import { subjectOf } from '../../shared/pipeline/access-subject.ts'
import { type ExplanationView, explanationView } from '../../shared/pipeline/explanation.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'
import { explainSupposed } from '../../shared/pipeline/supposed-call.ts'

const request = structure({
  PrincipalArn: required(subjectArn),
  Action: required(keyAction),
  KeyId: required(keyIdentifier),
  EncryptionContext: stringMap,
  Context: contextValues,
})
type ExplainAccessRequest = Input<typeof request>

export interface ExplainAccessResponse extends ExplanationView {
  readonly PrincipalArn: string
  readonly Action: string
  readonly KeyId: string
}

/**
 * Whether a principal of the account may do something with a key, and why: the decision that its call
 * would get now, every statement and grant that was looked at, and what kept each from matching. For
 * whoever may read the key's policy.
 */
export const explainAccess: Operation<ExplainAccessRequest, ExplainAccessResponse, 'key'> = {
  service: 'keyhold',
  name: 'ExplainAccess',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:ExplainAccess', resource: null }],
  keys: ({ KeyId }) => ({ key: { ...readKey(KeyId, 'kms:GetKeyPolicy'), name: named(KeyId) } }),
  async run({ PrincipalArn, Action, EncryptionContext, Context = [] }, { key }, call) {
    const caller = await subjectOf(PrincipalArn, call.caller.account, call)
    if (caller === null) {
      throw new JsonError('NoSuchEntityException', `There is no principal ${PrincipalArn}.`)
    }
    const explanation = await explainSupposed(
      {
        caller,
        action: Action,
        key,
        conditions: EncryptionContext === undefined ? {} : { encryptionContext: EncryptionContext },
        values: Context.map(({ Key, Values }) => [Key, Values.length === 1 ? Values[0] : Values]),
      },
      call,
    )
    return { PrincipalArn, Action, KeyId: key.arn, ...explanationView(explanation) }
  },
  audit: {
    requestParameters: ({ PrincipalArn, Action, KeyId }, { key }) => ({
      principalArn: PrincipalArn,
      action: Action,
      keyId: key?.arn ?? KeyId,
    }),
  },
}

const named = (text: string) => ({ by: 'identifier', text, aliases: true }) as const
