/**
 * The embedded DynamoDB engine of the local stack: dynalite in a worker thread of bounded memory, so
 * that it takes no time from the event loop that serves requests and ends with the process. What it
 * acknowledged survives the process being killed (not a power cut: it does not wait for the disk).
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface LocalDynamoDb {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  close(): Promise<void>
}

export interface LocalDynamoDbOptions {
  /** The data lies in `dynamodb` below it. One process at a time. */
  readonly dataDir: string
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
    workerData: { path },
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb ?? MAX_HEAP_MB },
  })
  const port = await portOf(worker)
  const watch = watchOver(worker, options.onCrash ?? endProcess)
  return { endpoint: `http://127.0.0.1:${port}`, close: watch.close }
}

function portOf(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('message', ({ port }: { port: number }) => {
      worker.removeAllListeners()
      resolve(port)
    })
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`The embedded DynamoDB ended with ${code}.`)))
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
