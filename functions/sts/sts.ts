/**
 * All of STS in one function: the operation is named in the request's body, which nothing in front
 * of a function can read.
 */
import { queryHandler, serveQuery } from '../../shared/lambda/query-stack.ts'
import { assumeRole } from './assume-role.ts'
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts'
import { getAccessKeyInfo } from './get-access-key-info.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import { getSessionToken } from './get-session-token.ts'
import { unknownOperation } from './unknown-operation.ts'

export const handler = queryHandler({
  signed: [
    serveQuery(assumeRole),
    serveQuery(getAccessKeyInfo),
    serveQuery(getCallerIdentity),
    serveQuery(getSessionToken),
  ],
  unsigned: [assumeRoleWithWebIdentity],
  otherwise: unknownOperation,
})
