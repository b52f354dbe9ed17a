/**
 * The load generator, a process of its own: keep-alive connections that each send the next request
 * when the answer to the one before is complete. Requests are given as finished bytes, signed
 * beforehand, so that the generator costs as little as it can.
 */
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly host: string
  readonly port: number
  /** Base64 of whole HTTP/1.1 requests; each connection goes through all of them, again and again. */
  readonly requests: readonly string[]
  readonly connections: number
  readonly warmupMs: number
  readonly durationMs: number
}

export interface LoadResult {
  readonly requests: number
  readonly errors: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const HEADER_END = Buffer.from('\r\n\r\n')

/** @returns the length of the first whole answer in the bytes and whether it is a 200; `null` when it is not all there */
function readAnswer(bytes: Buffer): { readonly length: number; readonly ok: boolean } | null {
  const end = bytes.indexOf(HEADER_END)
  if (end === -1) return null
  const head = bytes.toString('latin1', 0, end)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  const whole = end + HEADER_END.length + length
  return bytes.length < whole ? null : { length: whole, ok: head.startsWith('HTTP/1.1 200') }
}

class Connection {
  readonly #socket: Socket
  readonly #requests: readonly Buffer[]
  readonly #onAnswer: (startedAt: number, ok: boolean) => void
  #next: number
  #startedAt = 0
  #pending: Buffer = Buffer.alloc(0)

  constructor(
    load: Load,
    requests: readonly Buffer[],
    first: number,
    onAnswer: (startedAt: number, ok: boolean) => void,
  ) {
    this.#requests = requests
    this.#next = first
    this.#onAnswer = onAnswer
    this.#socket = connect(load.port, load.host, () => this.#send())
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', () => onAnswer(this.#startedAt, false))
  }

  #send(): void {
    const request = this.#requests[this.#next % this.#requests.length]
    this.#next += 1
    this.#startedAt = performance.now()
    if (request !== undefined) this.#socket.write(request)
  }

  #receive(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    const answer = readAnswer(this.#pending)
    if (answer === null) return
    this.#pending = this.#pending.subarray(answer.length)
    this.#onAnswer(this.#startedAt, answer.ok)
    this.#send()
  }

  close(): void {
    this.#socket.destroy()
  }
}

async function run(load: Load): Promise<LoadResult> {
  const requests = load.requests.map((text) => Buffer.from(text, 'base64'))
  const latencies: number[] = []
  let errors = 0
  const startAt = performance.now() + load.warmupMs
  const connections = Array.from(
    { length: load.connections },
    (_, index) =>
      new Connection(load, requests, index, (startedAt, ok) => {
        if (startedAt < startAt) return
        if (ok) latencies.push(performance.now() - startedAt)
        else errors += 1
      }),
  )
  await new Promise((resolve) => setTimeout(resolve, load.warmupMs + load.durationMs))
  for (const connection of connections) connection.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number =>
    latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  return {
    requests: latencies.length,
    errors,
    perSecond: latencies.length / (load.durationMs / 1000),
    p50: at(0.5),
    p99: at(0.99),
  }
}

process.once('message', async (load: Load) => {
  process.send?.(await run(load))
  process.disconnect()
})
