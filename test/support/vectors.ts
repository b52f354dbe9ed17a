import { readFileSync } from 'node:fs'

/** A JSON file under test/vectors; the type is the caller's word. */
export const vectors = <Vectors>(name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))

export const hex = (text: string): Buffer => Buffer.from(text, 'hex')
