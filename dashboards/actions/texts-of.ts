/** The fields of a form, '' for what is missing or no text. */
export function textsOf(
  body: unknown,
): Readonly<Record<'loader' | 'key' | 'action' | 'plan', string>> {
  const fields = (body ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  return { loader: text('loader'), key: text('key'), action: text('action'), plan: text('plan') };
}
