/**
 * The roots that attestation documents must lead to: the certificates of the PEM file that
 * KEYHOLD_ATTESTATION_ROOT names. The file is read when the first document comes, once.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

let read: { readonly path: string; readonly roots: Promise<readonly X509Certificate[]> } | undefined

/**
 * @returns `null` when none is configured
 * @throws Error when the file cannot be read or holds no certificate; the next call tries again
 */
export async function attestationRoots(): Promise<readonly X509Certificate[] | null> {
  const path = process.env.KEYHOLD_ATTESTATION_ROOT ?? ''
  if (path === '') return null
  if (read?.path !== path) read = { path, roots: readRoots(path) }
  const { roots } = read
  try {
    return await roots
  } catch (error) {
    if (read?.roots === roots) read = undefined
    throw error
  }
}

async function readRoots(path: string): Promise<readonly X509Certificate[]> {
  const blocks = (await readFile(path, 'utf8')).match(PEM_BLOCK) ?? []
  if (blocks.length === 0) throw new Error('KEYHOLD_ATTESTATION_ROOT names no certificate.')
  return blocks.map((block) => new X509Certificate(block))
}
