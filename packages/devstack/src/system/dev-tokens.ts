/** What `POST /dev/token` answers: the four headers of seed A. */
export interface DevToken {
  uid: string
  accessToken: string
  client: string
  expire: number
}

/** Asks a development gateway for a token of each user. */
export function mintTokens(gatewayUrl: string, uids: readonly string[]): Promise<DevToken[]> {
  return Promise.all(
    uids.map(async (uid) => {
      const response = await fetch(`${gatewayUrl}/dev/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uid }),
      })
      if (!response.ok) throw new Error(`POST /dev/token answered ${response.status}: ${await response.text()}`)
      return (await response.json()) as DevToken
    }),
  )
}
