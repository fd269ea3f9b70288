export interface DnsRecord {
  readonly keyId: number;
  readonly resolveMs: number;
  readonly answeredAtMs: number;
}

/** One load, the same on both sides. Node's fetch keeps its connections to the origin alive. */
export async function fetchRecord(url: string, signal?: AbortSignal): Promise<DnsRecord> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) throw new Error(`the origin answered ${response.status} for ${url}`);
  return (await response.json()) as DnsRecord;
}
