import { describe, expect, it } from 'vitest';
import {
  firstSeconds,
  hotKeys,
  loadResolveTimes,
  parseReads,
  parseResolveTimes,
  recordedReads,
} from '../../../examples/demo/trace.ts';

const CSV = 't_ms,key_id,ttl_s,value_bytes\n0,7,2230,\n0,7,,\n999,1,60,\n1000,7,60,\n';

describe('the trace', () => {
  it('is parsed by the names of its columns', () => {
    expect(parseReads(CSV)).toEqual([
      { tMs: 0, keyId: 7 },
      { tMs: 0, keyId: 7 },
      { tMs: 999, keyId: 1 },
      { tMs: 1_000, keyId: 7 },
    ]);
    expect(parseReads('key_id,t_ms\n3,12')).toEqual([{ tMs: 12, keyId: 3 }]);
  });

  it('is refused without the columns it needs', () => {
    expect(() => parseReads('t_ms,key\n0,1\n')).toThrow('no column key_id: t_ms,key');
  });

  it('has no resolve time for a key that was never measured', () => {
    const csv = 'key_id,reads,rtt_ms_p50\n0,5,0.834\n3,2,\n5,9,31.876\n';
    expect([...parseResolveTimes(csv)]).toEqual([
      [0, 0.834],
      [5, 31.876],
    ]);
  });

  it('ends before the given second', () => {
    expect(firstSeconds(parseReads(CSV), 1)).toHaveLength(3);
    expect(firstSeconds(parseReads(CSV), 1.001)).toHaveLength(4);
  });

  it('lies in the package as it was recorded: 24,826 reads of 2,051 keys, in order of time', () => {
    const reads = recordedReads();
    expect(reads).toHaveLength(24_826);
    expect(new Set(reads.map(({ keyId }) => keyId)).size).toBe(2_051);
    expect(reads.every(({ tMs }, i) => tMs >= (reads[i - 1]?.tMs ?? 0))).toBe(true);
    const resolveTimes = [...loadResolveTimes().values()];
    expect(resolveTimes.every((ms) => ms > 0)).toBe(true);
  });
});

describe('a hot key', () => {
  const times = (keyId: number, count: number) =>
    Array.from({ length: count }, () => ({ tMs: 0, keyId }));

  it('is read at least twice per ttl on average', () => {
    const reads = [...times(1, 20), ...times(2, 19)];
    expect(hotKeys(reads, { seconds: 600, ttlSeconds: 60 })).toEqual(new Set([1]));
    expect(hotKeys(reads, { seconds: 570, ttlSeconds: 60 })).toEqual(new Set([1, 2]));
  });

  it('is rarer the shorter the ttl', () => {
    expect(hotKeys(times(1, 20), { seconds: 600, ttlSeconds: 59 }).size).toBe(0);
  });
});
