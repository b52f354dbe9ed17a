/**
 * The routes of the HTTP API and of the REST API that streams, as API Gateway would match them
 * (API Gateway Developer Guide, "Create routes for HTTP APIs": full match before path variable,
 * a method before ANY).
 */
import type { FunctionEntry, FunctionEvent } from './functions.ts'

export interface Route {
  /** `POST`, or `ANY`. */
  readonly method: string
  /** `/kms/Encrypt`; the last segment may be a variable: `/kms/{operation}`. */
  readonly path: string
  /** `functions/kms/encrypt.handler` */
  readonly handler: string
  /** Whether the function writes its answer to a stream. */
  readonly streams: boolean
}

export type RouteTable = (method: string, path: string) => Route | null

const VARIABLE_LAST = /^(\/(?:[^{}]+\/)?)\{[^{}]+\}$/

/** @returns every route of every function, in the order of the description */
export const routesOf = (functions: readonly FunctionEntry[]): readonly Route[] =>
  functions.flatMap(({ handler, events }) =>
    events.map((event) => routeOf(event, handler)).filter((route) => route !== null),
  )

/**
 * @returns the function that finds the route for a method and a path; no expression is tried for it
 * @throws Error when two routes are the same, or one has a variable before its last segment
 */
export function routeTable(routes: readonly Route[]): RouteTable {
  const exact = new Map<string, Route>()
  const byParent = new Map<string, Route>()
  for (const route of routes) {
    const parent = VARIABLE_LAST.exec(route.path)?.[1]
    if (parent === undefined && route.path.includes('{')) {
      throw new Error(`${route.path}: only the last segment may be a variable.`)
    }
    add(parent === undefined ? exact : byParent, `${route.method} ${parent ?? route.path}`, route)
  }
  return (method, path) => {
    const found = exact.get(`${method} ${path}`) ?? exact.get(`ANY ${path}`)
    if (found !== undefined) return found
    const parent = path.slice(0, path.lastIndexOf('/') + 1)
    if (parent === path) return null // a variable is never empty
    return byParent.get(`${method} ${parent}`) ?? byParent.get(`ANY ${parent}`) ?? null
  }
}

function add(table: Map<string, Route>, key: string, route: Route): void {
  if (table.has(key)) throw new Error(`There are two routes for ${key}.`)
  table.set(key, route)
}

function routeOf({ httpApi, http }: FunctionEvent, handler: string): Route | null {
  if (http !== undefined) {
    const streams = http.response?.transferMode === 'STREAM'
    return { ...normalised(http), handler, streams }
  }
  if (httpApi === undefined) return null
  if (typeof httpApi !== 'string') return { ...normalised(httpApi), handler, streams: false }
  const [method = '', path = ''] = httpApi.split(' ')
  return { ...normalised({ method, path }), handler, streams: false }
}

const normalised = ({ method, path }: { method: string; path: string }) => ({
  method: method === '*' ? 'ANY' : method.toUpperCase(),
  path: path.startsWith('/') ? path : `/${path}`,
})
