/**
 * Listening, closing, and what keeps a connection from hanging: time limits, and an answer to what is
 * not HTTP.
 */
import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** From the first byte of a request to the end of its headers. */
const HEADERS_TIMEOUT = 10_000
/** Without a byte in either direction while a request is under way; an upload that moves is not cut. */
const STALLED_TIMEOUT = 120_000
/** Between requests; longer than clients keep a connection, so that it is they who close it. */
const IDLE_TIMEOUT = 75_000

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
}

export interface Connections {
  /**
   * Stops accepting, lets the calls under way end, and cuts those that take longer.
   * @param patience - in milliseconds
   */
  close(patience: number): Promise<void>
}

/**
 * Listens, with time limits on what clients may take.
 * @throws the error of the system, e.g. with the code EADDRINUSE
 */
export async function listen(server: Server, port: number, host: string): Promise<Connections> {
  limitTimes(server)
  answerClientErrors(server)
  const silent = silentConnections(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { close: (patience) => close(server, silent, patience) }
}

/** There is no limit on a whole request, since an upload may take hours. */
function limitTimes(server: Server): void {
  server.requestTimeout = 0
  server.headersTimeout = HEADERS_TIMEOUT
  server.timeout = STALLED_TIMEOUT
  server.keepAliveTimeout = IDLE_TIMEOUT
}

/** Answers a request that cannot be parsed with its status and closes the connection. */
function answerClientErrors(server: Server): void {
  const answering = new WeakSet<Socket>()
  server.on('request', (request) => answering.add(request.socket))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // On a connection that carried requests, an answer to one of them may be half written.
    if (!socket.writable || error.code === 'ECONNRESET' || answering.has(socket as Socket)) {
      socket.destroy()
      return
    }
    const status = STATUS_BY_CODE[error.code ?? ''] ?? 400
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`
    socket.end(`${head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
}

/** Those that have not carried a request yet; Node does not count them as idle. */
function silentConnections(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  server.on('request', ({ socket }) => silent.delete(socket))
  return silent
}

function close(server: Server, silent: ReadonlySet<Socket>, patience: number): Promise<void> {
  return new Promise((resolve) => {
    // A connection that becomes idle only now is closed too: a client may hold it open for long.
    const idle = setInterval(() => server.closeIdleConnections(), 20)
    const cut = setTimeout(() => server.closeAllConnections(), patience)
    server.close(() => {
      clearInterval(idle)
      clearTimeout(cut)
      resolve()
    })
    for (const socket of silent) socket.destroy()
  })
}
