/**
 * The API of tenants and principals, in one function: AWS JSON 1.1 with targets `Keyhold.<Operation>`,
 * signed for the service `keyhold`.
 */
import { jsonApiHandler, serve } from '../../shared/lambda/json-stack.ts'
import { explainAccess } from './explain-access.ts'
import { explainRequest } from './explain-request.ts'
import { listTenants } from './list-tenants.ts'
import { unknownOperation } from './unknown-operation.ts'

export const handler = jsonApiHandler(
  'tenants',
  [serve(explainAccess), serve(explainRequest), serve(listTenants)],
  serve(unknownOperation),
)
