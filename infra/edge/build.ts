/** Builds the CloudFront function from the edge's source. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** CloudFront Functions quota, "Maximum function size". */
export const MAX_EDGE_BYTES = 10_240

const ENTRY = fileURLToPath(new URL('./viewer-request.ts', import.meta.url))

/** Syntax that the runtime has not; what cannot be written in other words fails the build. */
const UNSUPPORTED = {
  'array-spread': false,
  class: false,
  'default-argument': false,
  destructuring: false,
  'for-of': false,
  generator: false,
  'nullish-coalescing': false,
  'object-rest-spread': false,
  'optional-catch-binding': false,
  'optional-chain': false,
  'template-literal': false, // ${ } would be taken for a variable of serverless.yml
}

/**
 * @param s3Hosts - lower case, without ports: names below them name buckets
 * @returns the source text of a function for the runtime `cloudfront-js-2.0`
 * @throws Error when it is larger than CloudFront takes, or uses syntax that the runtime has not
 */
export async function buildEdge(s3Hosts: readonly string[] = []): Promise<string> {
  const result = await build({
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'edge',
    minify: true,
    target: 'es2015',
    supported: UNSUPPORTED,
    define: { 'process.env.KEYHOLD_S3_HOSTS': JSON.stringify(s3Hosts.join()) },
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error('The edge function was not built.')
  const code = [
    "import cf from 'cloudfront';",
    output.text.trim(),
    'function handler(event){return edge.viewerRequest(event,cf)}',
    '',
  ].join('\n')
  if (Buffer.byteLength(code) > MAX_EDGE_BYTES) {
    throw new Error(`The edge function has ${Buffer.byteLength(code)} of ${MAX_EDGE_BYTES} bytes.`)
  }
  return code
}
