import { accessOf, namedOutside } from '../../shared/pipeline/access-list.ts'
import { keyAction } from '../../shared/pipeline/access-members.ts'
import { subjectsOf } from '../../shared/pipeline/access-subject.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { type AccessView, accessView } from './access-view.ts'

const request = structure({ KeyId: required(keyIdentifier), Action: required(keyAction) })
type ListAccessRequest = Input<typeof request>

export interface ListAccessResponse {
  readonly KeyId: string
  readonly Action: string
  /** The users and roles of the key's account that may, and by which path. */
  readonly Principals: readonly (AccessView & { readonly PrincipalArn: string })[]
  /** Whom of other accounts the key policy names; what they may, their own account has a say in. */
  readonly Outside: readonly string[]
}

/**
 * Who may do something with a key. For whoever may read the key's policy.
 */
export const listAccess: Operation<ListAccessRequest, ListAccessResponse, 'key'> = {
  service: 'keyhold',
  name: 'ListAccess',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:ExplainAccess', resource: null }],
  keys: ({ KeyId }) => ({
    key: {
      ...readKey(KeyId, 'kms:GetKeyPolicy'),
      name: { by: 'identifier', text: KeyId, aliases: true },
    },
  }),
  async run({ Action }, { key }, call) {
    const Principals = []
    for await (const caller of subjectsOf(call.caller.account, call)) {
      const access = await accessOf(caller, Action, key, null, call)
      if (access.possibility === 'never') continue
      Principals.push({ PrincipalArn: caller.principalArn, ...accessView(access) })
    }
    const Outside = namedOutside(key.bundle.policy.document, call.caller.account)
    return { KeyId: key.arn, Action, Principals, Outside }
  },
  audit: {
    requestParameters: ({ KeyId, Action }, { key }) => ({
      keyId: key?.arn ?? KeyId,
      action: Action,
    }),
  },
}
