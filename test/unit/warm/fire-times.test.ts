import { describe, expect, test } from 'vitest';
import { FireTimes, fireTimesOf, zoneOf } from '../../../src/warm/fire-times.ts';
import { Zone } from '../../../src/warm/zone.ts';

const at = (text: string): number => Date.parse(text);

/** The fires between two instants, as local times with their offset, asked forwards. */
function fires(pattern: string, zone: string, [from, to]: readonly [string, string]): string[] {
  const times = new FireTimes(pattern, new Zone(zone));
  const found: string[] = [];
  for (let atMs = times.next(at(from)); atMs !== null && atMs <= at(to); atMs = times.next(atMs)) {
    found.push(times.zone.text(atMs));
  }
  return found;
}

/** The same, asked backwards. */
function past(pattern: string, zone: string, [from, to]: readonly [string, string]): string[] {
  const times = new FireTimes(pattern, new Zone(zone));
  const found: string[] = [];
  for (
    let atMs = times.previous(at(to));
    atMs !== null && atMs > at(from);
    atMs = times.previous(atMs - 1)
  ) {
    found.unshift(times.zone.text(atMs));
  }
  return found;
}

const CHANGES = [
  ['Europe/Berlin in spring', 'Europe/Berlin', ['2026-03-28T00:00Z', '2026-03-30T12:00Z']],
  ['Europe/Berlin in autumn', 'Europe/Berlin', ['2026-10-24T00:00Z', '2026-10-26T12:00Z']],
  ['America/New_York in spring', 'America/New_York', ['2026-03-07T00:00Z', '2026-03-09T12:00Z']],
  ['America/New_York in autumn', 'America/New_York', ['2026-10-31T00:00Z', '2026-11-02T12:00Z']],
  [
    'Australia/Lord_Howe in spring',
    'Australia/Lord_Howe',
    ['2026-10-02T00:00Z', '2026-10-05T00:00Z'],
  ],
  [
    'Australia/Lord_Howe in autumn',
    'Australia/Lord_Howe',
    ['2026-04-03T00:00Z', '2026-04-06T00:00Z'],
  ],
  [
    'America/Sao_Paulo at midnight',
    'America/Sao_Paulo',
    ['2018-11-03T00:00Z', '2018-11-05T12:00Z'],
  ],
] as const;

describe.each(CHANGES)('%s', (_, zone, [from, to]) => {
  const patterns = ['30 2 * * *', '0 0 * * *', '30 1 * * *', '15 2 * * *', '45 1 * * *'];

  test.for(patterns)('"%s" fires once a local day', (pattern) => {
    const days = fires(pattern, zone, [from, to]).map((text) => text.slice(0, 10));
    const changed = new Date(at(from) + 1.4 * 86_400_000).toISOString().slice(0, 10);
    expect(days.filter((day) => day === changed)).toHaveLength(1);
    expect(new Set(days).size).toBe(days.length);
  });

  test.for([...patterns, '30 2,14 * * *', '0 * * * *', '*/15 * * * *', '*/30 2 * * *'])(
    '"%s" is the same backwards',
    (pattern) => {
      expect(past(pattern, zone, [from, to])).toEqual(fires(pattern, zone, [from, to]));
    },
  );

  test('"0 * * * *" fires once in every real hour', () => {
    const times = new FireTimes('*/30 * * * *', new Zone(zone));
    for (let atMs = at(from); atMs < at(to); atMs += 1_800_000) {
      expect(times.next(atMs - 1)).toBe(atMs);
    }
  });
});

test('a time in the gap comes at the end of the gap, once', () => {
  const spring = ['2026-03-28T12:00Z', '2026-03-30T12:00Z'] as const;
  const expected = ['2026-03-29T03:00+02:00', '2026-03-30T02:30+02:00'];
  expect(fires('30 2 * * *', 'Europe/Berlin', spring)).toEqual(expected);
  expect(fires('*/30 2 * * *', 'Europe/Berlin', spring)).toEqual([
    '2026-03-29T03:00+02:00',
    '2026-03-30T02:00+02:00',
    '2026-03-30T02:30+02:00',
  ]);
  const lordHowe = ['2026-10-03T00:00Z', '2026-10-04T12:00Z'] as const;
  expect(fires('15 2 * * *', 'Australia/Lord_Howe', lordHowe)).toEqual(['2026-10-04T02:30+11:00']);
});

test('a time in the overlap comes the first time only', () => {
  const autumn = ['2026-10-24T12:00Z', '2026-10-26T12:00Z'] as const;
  expect(fires('0,30 2 * * *', 'Europe/Berlin', autumn)).toEqual([
    '2026-10-25T02:00+02:00',
    '2026-10-25T02:30+02:00',
    '2026-10-26T02:00+01:00',
    '2026-10-26T02:30+01:00',
  ]);
  const lordHowe = ['2026-04-04T00:00Z', '2026-04-05T12:00Z'] as const;
  expect(fires('45 1 * * *', 'Australia/Lord_Howe', lordHowe)).toEqual(['2026-04-05T01:45+11:00']);
});

test('an hourly pattern fires in both hours of the overlap, and not for the hour of the gap', () => {
  expect(fires('0 * * * *', 'Europe/Berlin', ['2026-10-24T23:30Z', '2026-10-25T02:00Z'])).toEqual([
    '2026-10-25T02:00+02:00',
    '2026-10-25T02:00+01:00',
    '2026-10-25T03:00+01:00',
  ]);
  expect(fires('0 * * * *', 'Europe/Berlin', ['2026-03-28T23:30Z', '2026-03-29T02:00Z'])).toEqual([
    '2026-03-29T01:00+01:00',
    '2026-03-29T03:00+02:00',
    '2026-03-29T04:00+02:00',
  ]);
});

test('a day that a zone left out is a gap like any other', () => {
  // Samoa had no 30 December 2011.
  expect(fires('0 9 * * *', 'Pacific/Apia', ['2011-12-29T00:00Z', '2011-12-31T12:00Z'])).toEqual([
    '2011-12-29T09:00-10:00',
    '2011-12-31T00:00+14:00',
    '2011-12-31T09:00+14:00',
  ]);
});

test('a fire is itself the previous one, and never the next', () => {
  const times = new FireTimes('30 8 * * *', new Zone('Europe/Berlin'));
  const fireMs = at('2026-11-21T07:30:00Z');
  expect(times.previous(fireMs)).toBe(fireMs);
  expect(times.previous(fireMs + 0.5)).toBe(fireMs);
  expect(times.previous(fireMs - 1)).toBe(fireMs - 86_400_000);
  expect(times.next(fireMs)).toBe(fireMs + 86_400_000);
  expect(times.next(fireMs - 1)).toBe(fireMs);
});

describe('refused', () => {
  const zone = new Zone('UTC');

  test.for(['0 9 31 2 *', '0 0 30 2 *', '0 9 31 4 *'])('"%s", which never fires', (pattern) => {
    expect(() => fireTimesOf(pattern, zone, 'schedule')).toThrow(
      `\`schedule\` ("${pattern}") never fires`,
    );
  });

  test.for(['0 30 8 * * *', '@daily', '', '8:30', '61 * * * *', '* * * *', 'a b c d e', null, 5])(
    '%j, which is no pattern of five fields',
    (pattern) => {
      expect(() => fireTimesOf(pattern, zone, 'schedule')).toThrow(
        'must be a cron pattern of 5 fields',
      );
    },
  );

  test.for(['Europe/Atlantis', '', null, 'Berlin', 7])(
    'the zone %j, which does not exist',
    (name) => {
      expect(() => zoneOf(name, 'timezone')).toThrow('must be an IANA time zone');
    },
  );
});
