import { MOST_OF_LIFE } from './lead-time.ts';

/**
 * A number in the open interval (0, 1) that only the text and the seed decide: 32 bits of a MurmurHash3
 * over the UTF-16 units. Different seeds give independent numbers.
 */
export function hash01(text: string, seed: number): number {
  return to01(hash32(text, seed));
}

/** The same 32 bits as a whole number, to derive several numbers from one pass over the text. */
export function hash32(text: string, seed: number): number {
  let h = Math.imul(seed + 1, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h ^= text.length;
  return mix(h);
}

/** A number in (0, 1) of a hash, another for each seed. */
export function derived01(hash: number, seed: number): number {
  return to01(mix((hash + Math.imul(seed, 0x9e3779b1)) | 0));
}

function mix(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function to01(bits: number): number {
  return ((bits >>> 0) + 0.5) / 2 ** 32;
}

/** What one XFetch draw needs to know about a key. */
export interface GapDraw {
  /** λ, reads per ms. */
  readonly ratePerMs: number;
  /** δ, smoothed load time. */
  readonly loadMs: number;
  /** β: over 1 refreshes earlier, under 1 later. */
  readonly beta: number;
  /** Uniform in (0, 1). */
  readonly u: number;
}

/**
 * How long before expiry per-read XFetch would first have fired, in ms, drawn once instead of at every
 * read. Of reads with rate λ, each fires if now − δβ·ln(rand) ≥ expiry, so the first gap has
 * P(G < g) = exp(−λδβ·e^(−g/(δβ))), a Gumbel law, and G = δβ·(ln(λδβ) − ln(−ln u)). A negative gap means
 * that no read would have fired before expiry; −Infinity that none can (no reads, or no load time).
 *
 * Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
 */
export function refreshGapMs(draw: GapDraw): number {
  const scaleMs = draw.loadMs * draw.beta;
  const readsPerScale = draw.ratePerMs * scaleMs;
  if (readsPerScale <= 0) return Number.NEGATIVE_INFINITY;
  return scaleMs * (Math.log(readsPerScale) - Math.log(-Math.log(draw.u)));
}

/**
 * The early part R of a refresh, in ms, on top of the lead: the XFetch gap, or the share v of the most it
 * may be, min(spread·ttl, 0.9·ttl − lead), if that is larger. A gap over that most says no more than
 * "early": then v counts from the early end, as else all entries of one birth would be refreshed
 * at the same instant. The refresh is due at expiry − lead − R.
 */
export function earlyPartMs(
  draw: GapDraw & {
    /** From 0 to 1, independent of u: sets entries of one birth apart. */
    readonly v: number;
    /** Share of the ttl over which refreshes are spread. */
    readonly spread: number;
    readonly ttlMs: number;
    readonly leadMs: number;
  },
): number {
  const { v, spread, ttlMs, leadMs } = draw;
  const mostMs = Math.max(0, Math.min(spread * ttlMs, MOST_OF_LIFE * ttlMs - leadMs));
  const gapMs = refreshGapMs(draw);
  return gapMs > mostMs ? mostMs * (1 - v) : Math.max(gapMs, mostMs * v);
}
