import { expect, it } from 'vitest';
import { formatJobData, formatJobResult } from '../../../dashboards/job-format.ts';
import { KeyNames } from '../../../dashboards/key-names.ts';

const open = new KeyNames({ basePath: '/base', hideKeys: false });
const hiding = new KeyNames({ basePath: '', hideKeys: true });

it.each([
  ['sku-42', '/base/keys/product/sku-42'],
  ['a/b?c#d%', '/base/keys/product/a%2Fb%3Fc%23d%25'],
  ['{"a":1}', '/base/keys/product/%7B%22a%22%3A1%7D'],
  ['..', '/base/keys/product?key=..'],
  ['.', '/base/keys/product?key=.'],
  ['', '/base/keys/product?key='],
])('gives the key %j an address that no browser changes', (key, href) => {
  expect(open.href('product', key)).toBe(href);
});

it('hides keys behind a hash that only it can tell the key of', () => {
  const hash = hiding.shown('ann@example.com');
  expect(hash).toMatch(/^key-[0-9a-f]{20}$/);
  expect(hiding.href('user', 'ann@example.com')).toBe(`/keys/user/${hash}`);
  expect(hiding.find(hash, ['bob', 'ann@example.com'])).toBe('ann@example.com');
  expect(hiding.find(hash, ['bob'])).toBeNull();
  expect(new KeyNames({ basePath: '', hideKeys: true }).shown('ann@example.com')).not.toBe(hash);
});

it('hides keys in what jobs carry and come to, and all of jobs that are not ours', () => {
  const job = { loader: 'user', keys: ['ann'], version: 1, deadlineAtMs: 0 };
  const failed = [{ key: 'ann', error: 'no' }];
  const shown = JSON.stringify([
    formatJobData(job, hiding),
    formatJobData({ keys: 'ann' }, hiding),
    formatJobResult({ refreshed: 0, failed }, hiding),
  ]);
  expect(shown).not.toContain('ann');
  expect(formatJobResult({ failed }, open)).toEqual({ failed });
});
