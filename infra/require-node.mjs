// Plain JavaScript on purpose: it has to run, and explain itself, on a Node that cannot read .ts files.
const [major] = process.versions.node.split('.').map(Number)
if (major !== 24) {
  console.error(
    `Keyhold runs on Node.js 24, this is ${process.version} (${process.platform} ${process.arch}). ` +
      'On Linux x64 and arm64 "npm ci" brings it (do not pass --omit=optional); elsewhere install ' +
      'Node.js 24 and put it first on the PATH.',
  )
  process.exit(1)
}
