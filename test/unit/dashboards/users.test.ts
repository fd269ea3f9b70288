import { expect, it } from 'vitest';
import {
  hashPassword,
  isPassword,
  type PasswordHash,
  parsePasswordHash,
} from '../../../dashboards/security/password.ts';
import { Users } from '../../../dashboards/security/users.ts';

// scrypt of "correct horse", of a cost that no test notices.
const HASH = 'scrypt$1024$8$1$c2FsdHNhbHQ=$ZGeSwropSvEgLQU1pjltINKrRvmEBSnohdqYXUe5EZ8=';
const TOKEN = 'a-token-of-some-length';

it('knows a user by name and password, with the role of the entry', async () => {
  const users = new Users([`ann:${HASH}`, `bob:${HASH}:viewer`]);
  expect(await users.withPassword('ann', 'correct horse')).toEqual({
    name: 'ann',
    role: 'operator',
  });
  expect(await users.withPassword('bob', 'correct horse')).toEqual({ name: 'bob', role: 'viewer' });
  expect(await users.withPassword('ann', 'correct horsf')).toBeNull();
  expect(await users.withPassword('eve', 'correct horse')).toBeNull();
});

it('makes hashes that it takes, with a salt each', async () => {
  const [hash, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
  expect(hash).not.toBe(other);
  expect(await isPassword('secret', parsePasswordHash(hash) as PasswordHash)).toBe(true);
}, 30_000);

it('knows a bearer token, and no other', () => {
  const users = new Users([`bearer:${TOKEN}:viewer`]);
  expect(users.withToken(TOKEN)).toEqual({ name: 'token-1', role: 'viewer' });
  expect(users.withToken(`${TOKEN}x`)).toBeNull();
  expect(users.withToken('')).toBeNull();
});

it.each([
  'ann',
  'ann:secret-in-clear',
  `:${HASH}`,
  `ann:${HASH}:admin`,
  'bearer:short',
  'bearer:with space in its middle',
  'ann:scrypt$1000$8$1$c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA==',
  'ann:scrypt$67108864$128$1$c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA==',
])('refuses %j without quoting what may be a secret', (entry) => {
  expect(() => new Users([entry])).toThrow(/`dashboard\.auth\[0\]`/);
  const secret = entry.split(':').slice(1).join(':');
  expect(() => new Users([entry])).not.toThrow(secret === '' ? 'nothing' : secret);
});

it('refuses an empty list, which would let nobody in', () => {
  expect(() => new Users([])).toThrow(/`dashboard\.auth`/);
});

it('reads salt and hash of a hash', () => {
  expect(parsePasswordHash(HASH)).toMatchObject({ n: 1024, r: 8, p: 1, hash: { length: 32 } });
});
