/**
 * A connection that sends requests before the answers to those before have come, and sees what no
 * client library tells: which request hangs, and which was let fall.
 */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** No answer. */
export class NoAnswer extends Error {
  readonly how: 'hangs' | 'dropped'

  constructor(how: 'hangs' | 'dropped') {
    super(how)
    this.how = how
  }
}

interface Waiting {
  readonly bytes: Buffer
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** The head of an answer and where its body is; null while there is not enough of it. */
interface Parsed extends Answer {
  readonly length: number
  readonly closes: boolean
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** @throws Error for what is no answer of HTTP/1.1 */
export function parseAnswer(bytes: Buffer, ended: boolean): Parsed | null {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return null
  const head = bytes.subarray(0, end).toString('latin1')
  const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/m.exec(head)?.[1])
  if (!(status >= 100)) throw new Error(`Not an answer: ${head.slice(0, 200)}`)
  const closes = /\r\nconnection: *close/i.test(head)
  const start = end + HEAD_END.length
  if (status < 200) return { status, body: '', length: start, closes: false }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const body = chunkedBody(bytes, start)
    return body === null ? null : { status, closes, ...body }
  }
  const told = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (told === undefined && !ended) return null
  const length = told === undefined ? bytes.length : start + Number(told)
  if (bytes.length < length) return null
  return { status, body: bytes.toString('utf8', start, length), length, closes }
}

function chunkedBody(bytes: Buffer, start: number): { body: string; length: number } | null {
  let at = start
  let body = ''
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return null
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    const next = line + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return { body, length: next }
    body += bytes.toString('utf8', line + 2, line + 2 + size)
    at = next
  }
}

export class Connection {
  readonly #host: string
  readonly #port: number
  readonly #patience: number
  #socket: Socket | null = null
  #received: Buffer = Buffer.alloc(0)
  #sent: Waiting[] = []
  #timer: NodeJS.Timeout | undefined

  /** @param patience - milliseconds that the answer due next may take */
  constructor(host: string, port: number, patience: number) {
    this.#host = host
    this.#port = port
    this.#patience = patience
  }

  /**
   * Sends a whole request.
   * @throws NoAnswer when it hangs or the connection ends before its answer
   */
  send(bytes: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#write({ bytes, resolve, reject })
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket?.destroy()
    this.#socket = null
  }

  #write(waiting: Waiting): void {
    this.#socket ??= this.#open()
    this.#sent.push(waiting)
    if (this.#sent.length === 1) this.#watch()
    this.#socket.write(waiting.bytes)
  }

  #open(): Socket {
    const socket = connect(this.#port, this.#host)
    socket.setNoDelay(true)
    this.#received = Buffer.alloc(0)
    const mine = (): boolean => this.#socket === socket
    socket.on('data', (chunk) => mine() && this.#read(chunk))
    socket.on('error', () => mine() && this.#lost())
    socket.on('close', () => mine() && this.#lost())
    return socket
  }

  #watch(): void {
    clearTimeout(this.#timer)
    if (this.#sent.length === 0) return
    this.#timer = setTimeout(() => this.#fail(new NoAnswer('hangs')), this.#patience)
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    for (;;) {
      const parsed = parseAnswer(this.#received, false)
      if (parsed === null) return
      this.#received = this.#received.subarray(parsed.length)
      if (parsed.status < 200) continue
      const { status, body } = parsed
      this.#sent.shift()?.resolve({ status, body })
      this.#watch()
      if (parsed.closes) {
        this.#again()
        return
      }
    }
  }

  /** What was sent after the last request that the server wanted to answer goes out anew. */
  #again(): void {
    const unanswered = this.#sent
    this.#sent = []
    this.#received = Buffer.alloc(0)
    this.close()
    for (const waiting of unanswered) this.#write(waiting)
  }

  /** An answer may also end with its connection. */
  #lost(): void {
    const parsed = parseAnswer(this.#received, true)
    if (parsed === null || parsed.status < 200) {
      this.#fail(new NoAnswer('dropped'))
      return
    }
    const { status, body } = parsed
    this.#sent.shift()?.resolve({ status, body })
    this.#again()
  }

  /** The first in line is the one without an answer; the others are sent anew. */
  #fail(error: NoAnswer): void {
    const first = this.#sent.shift()
    this.#again()
    first?.reject(error)
  }
}
