/** The operations of KMS that the deployment has, as functions/kms/functions.yml describes them. */
import { readFunctions } from '../../infra/local/functions.ts'

const ROUTE = /^POST \/kms\/(\w+)$/

/** @returns operation → its handler, `functions/kms/encrypt.handler` */
export async function servedOperations(): Promise<ReadonlyMap<string, string>> {
  const served = new Map<string, string>()
  for (const { handler, events } of await readFunctions()) {
    for (const { httpApi } of events) {
      const name = typeof httpApi === 'string' ? ROUTE.exec(httpApi)?.[1] : undefined
      if (name !== undefined) served.set(name, handler)
    }
  }
  return served
}
