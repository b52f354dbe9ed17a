import { QueryError } from '../../shared/errors.ts'
import { parseAccessKeyId } from '../../shared/ids.ts'
import type { QueryOperation } from '../../shared/lambda/query-stack.ts'
import { type Input, required, string, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  AccessKeyId: required(string({ min: 16, max: 128, pattern: /^\w*$/, patternText: '[\\w]*' })),
})

/**
 * The account of an access key, when it is the caller's own. AWS tells it of any; here nobody learns
 * whose an access key is, nor whether there is one.
 */
export const getAccessKeyInfo: QueryOperation<Input<typeof request>> = {
  service: 'sts',
  name: 'GetAccessKeyInfo',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'sts:GetAccessKeyInfo', resource: null }],
  async run({ AccessKeyId }, _keys, { caller, services }) {
    const id = parseAccessKeyId(AccessKeyId)
    const found = id && (await services.store.tenants.accessKey(id))
    if (found?.account !== caller.account) {
      throw new QueryError(
        'AccessDenied',
        403,
        `User: ${caller.arn} is not authorized to perform: sts:GetAccessKeyInfo on this access key`,
      )
    }
    return { Account: caller.account }
  },
  audit: { requestParameters: ({ AccessKeyId }) => ({ accessKeyId: AccessKeyId }) },
}
