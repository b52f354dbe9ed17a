/** What a command works with: the flags of this call, and the services that it may ask. */
import { type Connection, type ConnectionFlags, connect } from './connection/connection.ts'
import type { JsonService } from './connection/json-api.ts'
import type { Kms } from './connection/kms.ts'
import type { S3 } from './connection/s3.ts'
import { type Progress, progressOn } from './output/progress.ts'

/** The flags that every command takes. */
export interface Flags extends ConnectionFlags {
  readonly json?: boolean
  readonly verbose?: boolean
  readonly yes?: boolean
}

export interface Session {
  readonly flags: Flags
  /** @throws as `connect` does; nothing is read before it is asked for */
  connection(): Connection
  /** Calls an operation of tenants and principals. */
  keyhold<Output = object>(operation: string, input?: object): Promise<Output>
  /** All pages of a list of that API. */
  list<Entry>(operation: string, member: string, input?: object): Promise<readonly Entry[]>
  /** Looks into the audit trail, page by page. */
  events<Entry>(input: object): AsyncGenerator<readonly Entry[]>
  sts<Output>(operation: string, input?: Readonly<Record<string, string>>): Promise<Output>
  kms(): Promise<Kms>
  s3(): Promise<S3>
  readonly progress: Progress
}

/**
 * Every way to ask a service is loaded when the first command asks: help and mistakes need none.
 * @param usual - as whom the local stack is called when nothing says who calls
 */
export function openSession(flags: Flags, usual?: 'administrator' | 'operator'): Session {
  const progress = progressOn(process.stderr)
  let connection: Connection | undefined
  let kms: Promise<Kms> | undefined
  let s3: Promise<S3> | undefined
  const connected = (): Connection => {
    connection ??= connect(flags, process.env, usual)
    return connection
  }
  const callJson = async <Output>(service: JsonService, operation: string, input: object) => {
    const api = await import('./connection/json-api.ts')
    return api.callJson<Output>(connected(), service, operation, input)
  }
  return {
    flags,
    progress,
    connection: connected,
    keyhold: async (operation, input = {}) => {
      const { KEYHOLD } = await import('./connection/json-api.ts')
      return callJson(KEYHOLD, operation, input)
    },
    async list<Entry>(operation: string, member: string, input: object = {}) {
      const { KEYHOLD, pagesOf } = await import('./connection/json-api.ts')
      const all: Entry[] = []
      const call = (page: object) => callJson<object>(KEYHOLD, operation, page)
      for await (const entries of pagesOf<Entry>(call, member, input)) {
        all.push(...entries)
        progress.tell(`${all.length} so far`)
      }
      return all
    },
    async *events<Entry>(input: object) {
      const { CLOUDTRAIL, pagesOf } = await import('./connection/json-api.ts')
      const call = (page: object) => callJson<object>(CLOUDTRAIL, 'LookupEvents', page)
      yield* pagesOf<Entry>(call, 'Events', input)
    },
    async sts(operation, input = {}) {
      const { callSts } = await import('./connection/query-api.ts')
      return callSts(connected(), operation, input)
    },
    async kms() {
      kms ??= import('./connection/kms.ts').then(({ openKms }) => openKms(connected()))
      return kms
    },
    async s3() {
      s3 ??= import('./connection/s3.ts').then(({ openS3 }) => openS3(connected()))
      return s3
    },
  }
}
