import { CommanderError } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../../examples/demo/options.ts';

afterEach(() => void vi.restoreAllMocks());

/** What the command line prints, and the error it ends with. */
function refusalOf(...args: string[]): string {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  expect(() => parseOptions(args)).toThrow(CommanderError);
  return written.join('');
}

describe('the command line of the demo', () => {
  it('has defaults that take about a minute', () => {
    expect(parseOptions([])).toEqual({
      speed: 10,
      seconds: 600,
      ttlSeconds: 60,
      json: false,
      serve: false,
    });
  });

  it('takes every option', () => {
    const args = ['--speed', '5', '--seconds', '30', '--ttl', '20', '--json', '--serve'];
    expect(parseOptions(args)).toEqual({
      speed: 5,
      seconds: 30,
      ttlSeconds: 20,
      json: true,
      serve: true,
    });
  });

  it.each([
    ['--speed', '0', 'from 1 to 1000'],
    ['--speed', 'fast', 'from 1 to 1000'],
    ['--speed', '', 'from 1 to 1000'],
    ['--seconds', '-1', 'from 1 to 1000000'],
    ['--ttl', 'x', 'from 0.1 to 86400'],
  ])('refuses %s %j with the value and the rule', (option, value, rule) => {
    const refusal = refusalOf(option, value);
    expect(refusal).toContain(option);
    expect(refusal).toContain(`'${value}'`);
    expect(refusal).toContain(rule);
  });

  it('refuses a ttl that the speed makes shorter than the library allows', () => {
    expect(refusalOf('--ttl', '5', '--speed', '100')).toBe(
      'error: --ttl (5) divided by --speed (100) is 50.0 ms: must be at least 100 ms\n',
    );
  });

  it('refuses what it does not know', () => {
    expect(refusalOf('--sped', '3')).toContain("unknown option '--sped'");
    expect(refusalOf('now')).toContain('too many arguments');
  });
});
