/**
 * All of STS in one function: the operation is named in the request's body, which nothing in front
 * of a function can read.
 */
import { queryHandler } from '../../shared/lambda/query-stack.ts'
import { getCallerIdentity } from './get-caller-identity.ts'

export const handler = queryHandler([getCallerIdentity])
