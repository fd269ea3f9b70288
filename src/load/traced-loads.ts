import type { Spans, Told } from '../core/spans.ts';
import { type LoadCall, type Loaded, type LoadTarget, runLoads } from '../loaders/run-loader.ts';

/** As `runLoads`, in a span of its own if somebody traces: what the loader traces itself is a part of it. */
export function tracedLoads(
  spans: Spans | null | undefined,
  targets: readonly LoadTarget[],
  call: LoadCall,
): Promise<readonly Loaded[]> {
  if (!spans) return runLoads(targets, call);
  const run = (): Promise<readonly Loaded[]> => runLoads(targets, call);
  return spans.inSpan('everwarm.load', run, (answers) => told(targets, answers, call));
}

function told(
  targets: readonly LoadTarget[],
  answers: readonly Loaded[],
  { reason }: LoadCall,
): Told {
  const [first] = targets;
  const errors = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
  const about =
    targets.length === 1
      ? { key: first?.key ?? '' }
      : { keys: targets.length, failed: errors.length };
  const attributes = { loader: first?.loader.name ?? '', ...about, reason };
  // Of many keys, what failed alone is told by its own refresh.
  const isFailed = errors.length === answers.length;
  return isFailed ? { attributes, error: errors[0] } : { attributes };
}
