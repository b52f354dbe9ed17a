/**
 * The embedded DynamoDB engine of the local stack: dynalite in a worker thread of bounded memory, so
 * that it takes no time from the event loop that serves requests and ends with the process. What it
 * acknowledged survives the process being killed (not a power cut: it does not wait for the disk).
 */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface LocalDynamoDb {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  /** Removes every item of every table; nobody may be reading or writing. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface LocalDynamoDbOptions {
  /** The data lies in `dynamodb` below it. One process at a time. */
  readonly dataDir: string
  /** Removes every item before anything is served. */
  readonly empty?: boolean
  /** Told when the engine ends by itself; by default that ends the process with an error. */
  readonly onCrash?: (error: Error) => void
  /** What the engine may use of the heap; beyond it, it ends by itself. */
  readonly maxHeapMb?: number
}

const MAX_HEAP_MB = 1024

/**
 * Starts the engine and waits until it serves.
 * @throws Error when the data cannot be opened, for example because another process has it open
 */
export async function startDynamoDb(options: LocalDynamoDbOptions): Promise<LocalDynamoDb> {
  const path = join(options.dataDir, 'dynamodb')
  await mkdir(path, { recursive: true })
  const worker = new Worker(new URL('./dynamodb-worker.ts', import.meta.url), {
    workerData: { path, empty: options.empty ?? false },
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb ?? MAX_HEAP_MB },
  })
  const port = await portOf(worker)
  const watch = watchOver(worker, options.onCrash ?? endProcess)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    clear: () => clear(worker),
    close: watch.close,
  }
}

async function clear(worker: Worker): Promise<void> {
  const answer = once(worker, 'message')
  worker.postMessage('clear')
  await answer
}

/** Takes only its own listeners away again: without Node's own, later messages would not be heard. */
function portOf(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      worker.off('message', serves).off('error', failed).off('exit', ended)
    }
    const serves = ({ port }: { port: number }): void => {
      settled()
      resolve(port)
    }
    const failed = (error: Error): void => reject(error)
    const ended = (code: number): void => {
      reject(new Error(`The embedded DynamoDB ended with ${code}.`))
    }
    worker.on('message', serves).on('error', failed).on('exit', ended)
  })
}

function watchOver(worker: Worker, onCrash: (error: Error) => void) {
  let closing = false
  let crash: Error | null = null
  const ended = new Promise<void>((resolve) => {
    worker.once('error', (error: Error) => {
      crash = error
    })
    worker.once('exit', (code) => {
      resolve()
      if (closing) return
      onCrash(new Error(`The embedded DynamoDB ended with ${code}.`, { cause: crash }))
    })
  })
  return {
    async close(): Promise<void> {
      closing = true
      worker.postMessage('close')
      await ended
    },
  }
}

/** Thrown where nobody can catch it: a stack without its database must not linger. */
function endProcess(error: Error): never {
  throw error
}
