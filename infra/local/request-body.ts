/** Bodies of requests, as a whole within limits or as a stream that can be given up without harm. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

/** The client went away, or was too slow, before the body was complete. */
export class BodyIncomplete extends Error {
  override readonly name = 'BodyIncomplete'
}

/** Milliseconds that a client has to send a body that is read as a whole. */
const PATIENCE = 30_000

const NOTHING = Buffer.alloc(0)

/**
 * @param limit - in bytes
 * @throws BodyTooLarge as soon as that is certain; what is still to come has to be drained
 * @throws BodyIncomplete also when the client takes longer than 30 seconds
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > limit) return reject(new BodyTooLarge())
    const chunks: Buffer[] = []
    let length = 0
    const take = (chunk: Buffer): void => {
      length += chunk.length
      if (length <= limit) chunks.push(chunk)
      else stop(new BodyTooLarge())
    }
    const stop = (error?: Error): void => {
      clearTimeout(late)
      request.off('data', take).off('close', gone)
      if (error === undefined) resolve(joined(chunks))
      else reject(error)
    }
    const gone = (): void => stop(new BodyIncomplete())
    const late = setTimeout(gone, PATIENCE)
    request.on('data', take)
    request.once('end', () => stop())
    request.once('close', gone)
  })
}

const joined = (chunks: readonly Buffer[]): Buffer => {
  const [only = NOTHING] = chunks
  return chunks.length < 2 ? only : Buffer.concat(chunks)
}

/** Reads on and throws away, so that a client that is still sending gets to read its answer. */
export function drain(request: IncomingMessage, limit: number): void {
  let left = limit
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.socket.destroy()
  })
  request.resume()
}

/**
 * The body as a stream of its own. Destroying it gives up the rest of the body and leaves the
 * connection as it is, so that an answer can still be sent: destroying the request itself would
 * reset the connection, which clients report as a network error and try again.
 */
export function bodyStream(request: IncomingMessage): Readable {
  const forward = (chunk: Buffer): void => {
    if (!body.push(chunk)) request.pause()
  }
  const end = (): void => {
    body.push(null)
  }
  const closed = (): void => {
    if (!request.complete) body.destroy(new BodyIncomplete('The client closed the connection.'))
  }
  const body = new Readable({
    read: () => request.resume(),
    destroy(error, done) {
      request.off('data', forward).off('end', end).off('close', closed).resume()
      done(error)
    },
  })
  request.on('data', forward).once('end', end).once('close', closed).pause()
  if (request.destroyed) closed()
  return body
}
