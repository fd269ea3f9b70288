import { printValue } from './errors.ts';

const PLAIN_NAME = /^[A-Za-z_$][\w$]{0,63}$/;
const MOST_SHOWN = 200;

/** Where in some data, as it would be written in code, cut at 200 characters: `params.a[0]["b c"]`. */
export function pathText(root: string, path: readonly PropertyKey[]): string {
  const steps = path.map((step) => {
    if (typeof step !== 'string') return `[${String(step)}]`;
    return PLAIN_NAME.test(step) ? `.${step}` : `[${printValue(step)}]`;
  });
  const text = `${root}${steps.join('')}`;
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 3)}...` : text;
}
