/** Bytes on a connection of their own: nothing follows them, so the server has to come to an end. */
import { connect } from 'node:net'
import { type Answer, NoAnswer, parseAnswer } from './connection.ts'

/**
 * Sends the bytes and says that there is no more.
 * @returns the first answer; null when the server closed without one, which is its right: what it
 *   was sent need not be a request
 * @throws NoAnswer when the server neither answers nor closes
 */
export function fireBytes(
  bytes: Buffer,
  { hostname, port }: { readonly hostname: string; readonly port: number },
  patience: number,
): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, hostname)
    let received: Buffer = Buffer.alloc(0)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new NoAnswer('hangs'))
    }, patience)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
    })
    socket.on('error', () => {}) // a reset is an end too
    socket.on('close', () => {
      clearTimeout(timer)
      try {
        resolve(firstAnswer(received))
      } catch (error) {
        reject(error)
      }
    })
    socket.end(bytes)
  })
}

function firstAnswer(received: Buffer): Answer | null {
  let rest = received
  for (;;) {
    const parsed = parseAnswer(rest, true)
    if (parsed === null || parsed.status >= 200) return parsed
    rest = rest.subarray(parsed.length)
  }
}
