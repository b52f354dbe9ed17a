import type { QueryOperation } from '../../shared/lambda/query-stack.ts'
import { structure } from '../../shared/pipeline/shape.ts'

const request = structure({})

/** Who the caller is; whoever can sign may ask, no policy can forbid it. */
export const getCallerIdentity: QueryOperation = {
  service: 'sts',
  name: 'GetCallerIdentity',
  input: request,
  readOnly: true,
  run: (_input, _keys, { caller }) => ({
    Arn: caller.arn,
    UserId: caller.userId,
    Account: caller.account,
  }),
  audit: { requestParameters: () => null },
}
