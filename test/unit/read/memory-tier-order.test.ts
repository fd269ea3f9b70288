import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryTier } from '../../../src/read/memory-tier.ts';

/*
 * The model: a drop of a key makes its next version, a read sees the version of when it was sent, and what
 * it saw may be kept if that is the key's version still.
 */

const TTL_MS = 10_000;
const NOW_MS = 1_790_000_000_000;
const KEYS = ['a', 'b', 'c'] as const;

type Step =
  | { readonly do: 'send'; readonly key: string }
  | { readonly do: 'end'; readonly which: number }
  | { readonly do: 'drop'; readonly key: string }
  | { readonly do: 'dropAll' }
  | { readonly do: 'pass'; readonly ms: number };

const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('send' as const), key }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('drop' as const), key }),
  fc.record({ do: fc.constant('dropAll' as const) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.nat(TTL_MS) }),
);

class Scene {
  #nowMs = 5_000;
  readonly #tier = new MemoryTier(
    { maxEntries: 100, maxBytes: null, ttlMs: TTL_MS, sharing: 'shared' },
    { now: () => this.#nowMs },
  );
  readonly #versions = new Map<string, number>();
  readonly #held = new Map<string, { readonly version: number; readonly untilMs: number }>();
  readonly #reads: { readonly key: string; readonly version: number; readonly began: number }[] =
    [];

  take(one: Step): void {
    if (one.do === 'send') {
      const version = this.#version(one.key);
      this.#reads.push({ key: one.key, version, began: this.#tier.begin() });
    } else if (one.do === 'end') this.#end(one.which);
    else if (one.do === 'pass') this.#nowMs += one.ms;
    else this.#drop(one.do === 'drop' ? one.key : null);
  }

  #drop(name: string | null): void {
    if (name === null) this.#tier.dropAll();
    else this.#tier.drop(name);
    for (const each of name === null ? KEYS : [name]) {
      this.#versions.set(each, this.#version(each) + 1);
      this.#held.delete(each);
    }
  }

  /** What the tier answers, and what it has to. */
  answers(): { readonly told: unknown[]; readonly expected: unknown[] } {
    const told = KEYS.map((name) => this.#tier.get(name)?.value);
    const expected = KEYS.map((name) => {
      const held = this.#held.get(name);
      return held && this.#nowMs < held.untilMs ? held.version : undefined;
    });
    return { told, expected };
  }

  #end(which: number): void {
    const [read] = this.#reads.splice(which, 1);
    if (!read) return;
    const { key: name, version, began } = read;
    const header = {
      createdAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 60_000,
      load: { meanMs: 0, deviationMs: 0 },
      logHeat: Number.NaN,
      unreadLives: 0,
      invalidated: false,
      notFound: false,
    };
    this.#tier.fill(name, { value: version, header, bytes: 100, began, nowMs: NOW_MS });
    if (version === this.#version(name)) {
      this.#held.set(name, { version, untilMs: this.#nowMs + TTL_MS });
    }
  }

  #version(name: string): number {
    return this.#versions.get(name) ?? 0;
  }
}

test('drops and fills in any order leave what is current, and nothing from before a drop', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const scene = new Scene();
      for (const one of steps) {
        scene.take(one);
        const { told, expected } = scene.answers();
        expect(told).toEqual(expected);
      }
    }),
    { numRuns: 2_000 },
  );
});
