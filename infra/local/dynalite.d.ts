declare module 'dynalite' {
  import type { Server } from 'node:http'

  export default function dynalite(options: {
    readonly path: string
    readonly createTableMs: number
    readonly deleteTableMs: number
    readonly updateTableMs: number
  }): Server
}

declare module 'dynalite/db/index.js' {
  interface TableDescription {
    readonly TableName: string
    readonly TableStatus: string
    readonly GlobalSecondaryIndexes?: readonly object[]
  }
  interface TableDb {
    createValueStream(options: object): AsyncIterable<TableDescription>
    put(name: string, table: TableDescription, done: (error: Error | null) => void): void
  }
  interface RangeIterator {
    close(): Promise<void>
  }
  export interface Engine {
    readonly tableDb: TableDb
    readonly db: {
      open(): Promise<void>
      close(): Promise<void>
      clear(range: { readonly lt?: string; readonly gte?: string }): Promise<void>
      keys(range?: object): RangeIterator
      values(range?: object): RangeIterator
    }
  }
  const db: { create(options: { readonly path: string }): Engine }
  export default db
}
