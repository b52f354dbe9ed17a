/** CiphertextForRecipient, opened by the `openssl` command as an enclave may do it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { verifyAttestation } from '../../shared/authn/attestation.ts'
import { envelop } from '../../shared/crypto/cms-enveloped-data.ts'
import { documentOf, givenEnclave } from '../support/attestation.ts'
import { issue, pemOf, rsaPair } from '../support/certificates.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'keyhold-cms-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => join(folder, name)

const installed = await run('openssl', ['version']).then(
  () => true,
  () => false,
)
if (!installed) console.warn("skipped: the 'openssl' command is not installed")

test.skipIf(!installed).for([2048, 3072, 4096])(
  'openssl opens with a key of %i bits what was meant for it',
  async (bits) => {
    const enclave = givenEnclave({ keyPair: rsaPair(bits) })
    const roots = [enclave.root.certificate]
    const { publicKey } = await verifyAttestation(documentOf(enclave), roots, Date.now())
    const secret = Buffer.alloc(4096, 'secret')
    writeFileSync(file('enveloped.der'), envelop(publicKey, secret))
    const { privateKey } = enclave.keyPair
    writeFileSync(file('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const decrypt = ['cms', '-decrypt', '-inform', 'DER', '-in', 'enveloped.der', '-binary']
    await run('openssl', [...decrypt, '-inkey', 'key.pem', '-out', 'secret.bin'], { cwd: folder })
    expect(readFileSync(file('secret.bin'))).toEqual(secret)
  },
)

test.skipIf(!installed)(
  'openssl takes the certificates of the tests for what they are',
  async () => {
    const { root, authority, leaf } = givenEnclave()
    writeFileSync(file('root.pem'), pemOf(root))
    writeFileSync(file('authority.pem'), pemOf(authority))
    writeFileSync(file('leaf.pem'), pemOf(leaf))
    writeFileSync(file('other.pem'), pemOf(issue({ name: 'other', isAuthority: true }, null)))
    const verify = (trusted: string) =>
      run('openssl', ['verify', '-CAfile', trusted, '-untrusted', 'authority.pem', 'leaf.pem'], {
        cwd: folder,
      })
    expect((await verify('root.pem')).stdout).toContain('leaf.pem: OK')
    await expect(verify('other.pem')).rejects.toThrow()
  },
)
