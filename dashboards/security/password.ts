import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Cost of new hashes: 32 MB and about 300 ms. */
const N = 2 ** 15;
const R = 8;
const P = 3;
const HASH_BYTES = 32;
const FORM =
  /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/=_-]{8,})\$([A-Za-z0-9+/=_-]{16,})$/;
const MOST_MEMORY_BYTES = 2 ** 30;

export interface PasswordHash {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** A password as `scrypt$N$r$p$salt$hash`, salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, { n: N, r: R, p: P, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `scrypt$${N}$${R}$${P}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** Null for text that is no such hash, or one that scrypt cannot or should not compute. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const [, n = '', r = '', p = '', salt = '', hash = ''] = FORM.exec(text) ?? [];
  const parsed = {
    n: Number(n),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
  const isPower = parsed.n > 1 && Number.isInteger(Math.log2(parsed.n));
  const isAffordable = parsed.r > 0 && parsed.p > 0 && memoryBytes(parsed) <= MOST_MEMORY_BYTES;
  return isPower && isAffordable ? parsed : null;
}

export async function isPassword(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash), hash.hash);
}

function derive(password: string, { n, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 2 * memoryBytes({ n, r, p }) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, options, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}

function memoryBytes({ n, r, p }: Pick<PasswordHash, 'n' | 'r' | 'p'>): number {
  return 128 * r * (n + p);
}
