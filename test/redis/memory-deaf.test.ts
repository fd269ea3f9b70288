import { describe, expect, test } from 'vitest';
import { entryKey, openCache, ownServer, recorded } from '../helpers/cache.ts';
import { hearing, held, heldItem } from '../helpers/memory.ts';
import { connect } from '../helpers/redis.ts';

/** A cache whose user may be denied the bus, and one that is not. */
async function deafening() {
  const { url } = await ownServer();
  const admin = connect(url);
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all');
  const { origin, loader } = heldItem();
  const openAs = (redis: string) => openCache({ redis, namespace: 'ns', loaders: [loader] });
  const open = () => openAs(url.replace('//', '//app:secret@'));
  const openAdmin = () => openAs(url);
  return {
    origin,
    loader,
    open,
    openAdmin,
    admin,
    /** Ends its subscription, too. */
    deafen: () => admin.call('ACL', 'SETUSER', 'app', 'resetchannels'),
    allow: () => admin.call('ACL', 'SETUSER', 'app', '&*'),
  };
}

describe('a process that cannot listen', () => {
  test('goes on answering from memory, and forgets all when it listens again', async () => {
    const { origin, loader, open, openAdmin, admin, deafen, allow } = await deafening();
    const [reader, writer] = [await open(), await openAdmin()];
    const failed = recorded(reader, 'redis:failed');
    await hearing(admin, 'ns', 2);
    await held(reader, loader, 'a');
    await held(reader, loader, 'b');

    await deafen();
    await hearing(admin, 'ns', 1);
    origin.value = 'new';
    await writer.invalidate(loader, 'a');
    expect(await reader.getWithMeta(loader, 'a')).toMatchObject({ value: 'old', source: 'memory' });

    // It tells why it is deaf, and goes on trying.
    const reasons = (): string[] => failed.map(({ error }) => String(error));
    await expect.poll(reasons).toContainEqual(expect.stringContaining('NOPERM'));
    await allow();
    await expect.poll(() => reader.get(loader, 'a'), { timeout: 5_000 }).toBe('new');
  });

  test('answers nothing from memory that is older than the tier allows', async () => {
    const { origin, loader: _, open: __, ...rest } = await deafening();
    const brief = heldItem({ maxEntries: 10, ttl: 300 });
    const url = `redis://app:secret@${rest.admin.options.host}:${rest.admin.options.port}`;
    const reader = await openCache({ redis: url, namespace: 'ns', loaders: [brief.loader] });
    const writer = await rest.openAdmin();
    await hearing(rest.admin, 'ns', 2);
    await rest.deafen();
    await hearing(rest.admin, 'ns', 1);
    await held(reader, brief.loader, 'a');

    brief.origin.value = 'new';
    origin.value = 'new';
    await writer.applyInvalidation({ kind: 'keys', loader: 'item', keys: ['a'], soft: false });
    await expect.poll(() => reader.get(brief.loader, 'a'), { timeout: 5_000 }).toBe('new');
  });

  test('forgets what it has read before it listened for the first time', async () => {
    const { origin, loader, open, openAdmin, admin, deafen, allow } = await deafening();
    await deafen();
    const [reader, writer] = [await open(), await openAdmin()];
    await hearing(admin, 'ns', 1);
    expect(await held(reader, loader, 'a')).toBe('old');

    origin.value = 'new';
    await writer.invalidate(loader, 'a');
    expect(await reader.get(loader, 'a')).toBe('old');
    await allow();
    await expect.poll(() => reader.get(loader, 'a'), { timeout: 5_000 }).toBe('new');
  });

  test('still stores what it loads while others wait', async () => {
    const { loader, open, admin, deafen } = await deafening();
    await deafen();
    const [one, other] = [await open(), await open()];
    const failed = [one, other].map((cache) => recorded(cache, 'store:failed'));
    const keys = Array.from({ length: 50 }, (_, at) => `k${at}`);
    await Promise.all([one, other].map((cache) => cache.getMany(loader, keys)));
    expect(failed.flat()).toEqual([]);
    expect(await admin.exists(...keys.map((key) => entryKey('ns', loader, key)))).toBe(50);
  });
});

test('an announcement that fails is made again', async () => {
  const { origin, loader, open, openAdmin, admin, deafen, allow } = await deafening();
  const [writer, reader] = [await open(), await openAdmin()];
  await hearing(admin, 'ns', 2);
  await held(reader, loader, 'a');
  await deafen();
  await admin.call('ACL', 'LOG', 'RESET');

  origin.value = 'new';
  const done = writer.invalidate(loader, 'a');
  const denied = async (): Promise<string> => JSON.stringify(await admin.call('ACL', 'LOG'));
  await expect.poll(denied, { interval: 1 }).toContain('publish');
  await allow();
  await done;
  await expect.poll(() => reader.get(loader, 'a')).toBe('new');
});
