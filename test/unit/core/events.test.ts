import { describe, expect, onTestFinished, test } from 'vitest';
import { Events } from '../../../src/core/events.ts';

const hit = { loader: 'item', key: 'a', source: 'redis' } as const;

describe('a listener', () => {
  test('gets the events of its name, in order, with every other listener', () => {
    const events = new Events();
    const heard: string[] = [];
    events.on('entry:hit', ({ key }) => void heard.push(`one ${key}`));
    events.on('entry:hit', ({ key }) => void heard.push(`two ${key}`));
    events.on('lock:lost', ({ key }) => void heard.push(`lost ${key}`));

    events.emit('entry:hit', hit);
    events.emit('entry:hit', { ...hit, key: 'b' });

    expect(heard).toEqual(['one a', 'two a', 'one b', 'two b']);
  });

  test('hears nothing after it has unsubscribed, also in the midst of an event', () => {
    const events = new Events();
    const heard: string[] = [];
    const stop = events.on('entry:hit', () => {
      heard.push('once');
      stop();
    });
    events.on('entry:hit', () => void heard.push('always'));

    events.emit('entry:hit', hit);
    events.emit('entry:hit', hit);
    stop();

    expect(heard).toEqual(['once', 'always', 'always']);
  });

  test('is looked for before an event is built, in a set that stays true', () => {
    const events = new Events();
    const hit = events.listeners('entry:hit');
    const missed = events.listeners('entry:missed');
    expect(hit.size).toBe(0);

    const stop = events.on('entry:hit', () => undefined);
    expect([hit.size, missed.size]).toEqual([1, 0]);

    stop();
    expect(hit.size).toBe(0);
  });

  test('that is asynchronous and rejects is reported as a process warning, and no unhandled rejection', async () => {
    const events = new Events();
    const listener: () => unknown = () => Promise.reject(new Error('my late fault'));
    events.on('entry:hit', listener);
    const warned = nextWarning();

    events.emit('entry:hit', hit);

    expect(await warned).toMatchObject({
      name: 'EverwarmWarning',
      message: 'a listener of "entry:hit" threw: Error: my late fault',
    });
  });

  test('that throws is reported as a process warning and hurts nobody', async () => {
    const events = new Events();
    const heard: string[] = [];
    events.on('entry:hit', () => {
      throw new Error('my own fault');
    });
    events.on('entry:hit', () => void heard.push('next'));
    const warned = nextWarning();

    events.emit('entry:hit', hit);

    expect(heard).toEqual(['next']);
    expect(await warned).toMatchObject({
      name: 'EverwarmWarning',
      message: 'a listener of "entry:hit" threw: Error: my own fault',
    });
  });
});

test('an event nobody listens to goes nowhere', () => {
  expect(() => new Events().emit('entry:hit', hit)).not.toThrow();
});

function nextWarning(): Promise<Error> {
  return new Promise((resolve) => {
    process.once('warning', resolve);
    onTestFinished(() => void process.off('warning', resolve));
  });
}
