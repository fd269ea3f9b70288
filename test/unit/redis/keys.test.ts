import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeKeyText, Keys } from '../../../src/redis/keys.ts';

const keys = new Keys('shop');
const loader = { name: 'product', version: 3 };

// Strings in which the reserved characters, and what they become, meet often.
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('%', '{', '}', '25', '7B', '7D', 'a'), { maxLength: 8 })
    .map((parts) => parts.join('')),
);

/** What a Redis Cluster hashes of a key's name: what stands in its first pair of braces. */
function hashTag(name: string): string {
  const start = name.indexOf('{') + 1;
  return name.slice(start, name.indexOf('}', start));
}

test('spells every key name', () => {
  const entryKey = keys.entry(loader, 'sku-{42}');
  expect([
    entryKey,
    keys.lock(entryKey),
    ...Object.values(keys.tracker(loader, 1_200_000)),
    keys.stats(loader),
    ...Object.values(keys.limit(loader, { max: 100, perMs: 1_000 })),
    keys.freeLimit('logins', 'user-{42}', { max: 5, perMs: 60_000 }).grants,
    keys.queuePrefix(loader),
  ]).toMatchInlineSnapshot(`
    [
      "shop:{product@3:sku-%7B42%7D}",
      "shop:{product@3:sku-%7B42%7D}:lock",
      "shop:{product:t0of1}:heat:1200000",
      "shop:{product:t0of1}:due:1200000",
      "shop:{product:t0of1}:failing",
      "shop:{product:t0of1}:born:1200000",
      "shop:{product:t0of1}:full",
      "shop:{product}:stats",
      "shop:{product}:limit:100per1000",
      "shop:{product}:limit:100per1000:clock",
      "shop:{limit:logins:user-%7B42%7D}:5per60000",
      "{shop:product}",
    ]
  `);
});

test('keeps the version out of all names but those of entry and lock', () => {
  const next = { ...loader, version: 4 };
  expect(keys.tracker(next, 1_000)).toEqual(keys.tracker(loader, 1_000));
  expect(keys.stats(next)).toBe(keys.stats(loader));
  expect(keys.queuePrefix(next)).toBe(keys.queuePrefix(loader));
  expect(keys.entry(next, 'a')).not.toBe(keys.entry(loader, 'a'));
});

test('escapes every brace', () => {
  fc.assert(
    fc.property(text, (key) => {
      expect(escapeKeyText(key)).not.toMatch(/[{}]/);
    }),
  );
});

test('escapes no two key texts alike', () => {
  const unescaped = (escaped: string): string =>
    escaped.replaceAll('%7B', '{').replaceAll('%7D', '}').replaceAll('%25', '%');
  fc.assert(
    fc.property(text, (key) => {
      expect(unescaped(escapeKeyText(key))).toBe(key);
    }),
  );
});

test('puts an entry and its lock under one hash tag, which names the whole entry', () => {
  fc.assert(
    fc.property(text, (key) => {
      const entryKey = keys.entry(loader, key);
      const tag = `product@3:${escapeKeyText(key)}`;
      expect([hashTag(entryKey), hashTag(keys.lock(entryKey))]).toEqual([tag, tag]);
    }),
  );
});

test('puts the keys of a tracker under one hash tag', () => {
  const tags = Object.values(keys.tracker(loader, 1_000)).map(hashTag);
  expect(new Set(tags).size).toBe(1);
});
