/** The hosts below which names name buckets, as they are set. */

/**
 * @param text - of `KEYHOLD_S3_HOSTS`: hosts parted by commas; a port does not matter here
 * @returns lower case, without ports
 */
export const parseS3Hosts = (text = ''): readonly string[] =>
  text
    .split(',')
    .map((host) =>
      host
        .trim()
        .toLowerCase()
        .replace(/:[0-9]*$/, ''),
    )
    .filter((host) => host !== '')
