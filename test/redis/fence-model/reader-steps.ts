import { readable, type Scenario, type State, type Step } from './model.ts';

/**
 * A process that fills its copy from the server, and hears of invalidations when it hears of them. Its rule is
 * MemoryTier's: test/unit/read/memory-tier-order.test.ts holds that against the same one.
 */
export function readerSteps(state: State, { reader: rule }: Scenario): Step[] {
  if (!rule) return [];
  const { reader, bus } = state;
  const { fill } = reader;
  const steps: Step[] = [];
  const entry = readable(state.entry);
  if (!fill && entry !== null && reader.reads > 0) {
    const next = (after: State): State => ({
      ...after,
      reader: { ...after.reader, fill: { entry, isOutdated: false }, reads: reader.reads - 1 },
    });
    steps.push({ name: `R reads ${entry} from the server`, command: null, next });
  }
  if (fill) {
    const isDropped = rule.isCareful && fill.isOutdated;
    const next = (after: State): State => {
      const copy = isDropped ? after.reader.copy : fill.entry;
      return { ...after, reader: { ...after.reader, copy, fill: null } };
    };
    const verb = isDropped ? 'drops' : 'keeps';
    steps.push({ name: `R ${verb} what it read`, command: null, next });
  }
  if (bus > 0) {
    const next = (after: State): State => ({
      ...after,
      bus: bus - 1,
      reader: { ...after.reader, copy: null, fill: fill && { ...fill, isOutdated: true } },
    });
    steps.push({ name: 'R hears of an invalidation', command: null, next });
  }
  return steps;
}
