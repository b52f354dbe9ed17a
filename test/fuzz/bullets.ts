/** Shots as the bytes of HTTP requests. */
import type { Shot } from './shots.ts'
import type { Sign } from './signer.ts'

type Headed = Exclude<Shot, { readonly kind: 'bytes' }>

/** @returns one whole request */
export function bulletOf(shot: Headed, sign: Sign): Buffer {
  const target = `TrentService.${shot.operation}`
  const region = shot.kind === 'call' ? shot.region : 'us-east-1'
  const headers = `${sign(target, shot.body, region)}content-length: ${shot.body.length}\r\n`
  const whole = `POST / HTTP/1.1\r\n${headers}\r\n`
  if (shot.kind === 'call') return Buffer.concat([Buffer.from(whole), shot.body])
  return spoil(whole, shot.body, shot.spoil)
}

/** The request is still one whole request, so that those behind it on the connection stay whole. */
function spoil(head: string, body: Buffer, how: string): Buffer {
  const whole = (changed: string): Buffer => Buffer.concat([Buffer.from(changed, 'latin1'), body])
  switch (how) {
    case 'authorization':
      return whole(head.replace(/Signature=..../, 'Signature=zzzz'))
    case 'body':
      return Buffer.concat([Buffer.from(head), Buffer.alloc(body.length, '7')])
    case 'content-type':
      return whole(
        head.replace('application/x-amz-json-1.1', 'text/\u0001plain'.replace('\u0001', '')),
      )
    case 'date':
      return whole(head.replace(/x-amz-date:\d{4}/, 'x-amz-date:0001'))
    case 'duplicate':
      return whole(head.replace(/(authorization: [^\r]+\r\n)/, '$1$1'))
    case 'host':
      return whole(head.replace(/host:[^\r]+/, 'host:example.com:99999'))
    case 'large-header':
      return whole(head.replace('\r\n\r\n', `\r\nx-large: ${'a'.repeat(14_000)}\r\n\r\n`))
    case 'length':
      return Buffer.from(head.replace(/content-length: \d+/, 'content-length: 0'))
    case 'no-authorization':
      return whole(head.replace(/authorization: [^\r]+\r\n/, ''))
    case 'path':
      return whole(head.replace('POST / ', 'POST /kms/../%00/Encrypt?a=%ff&X-Amz-Date=1 '))
    case 'method':
      return whole(head.replace('POST', 'PATCH'))
    case 'service':
      return whole(head.replace('/kms/aws4_request', '/sts/aws4_request'))
    case 'target':
      return whole(head.replace(/x-amz-target:[^\r]+/, 'x-amz-target:TrentService.__proto__'))
    default:
      return whole(head.replace('\r\n\r\n', '\r\nx-amz-meta-\xe9: \xff\xfe\r\n\r\n'))
  }
}
