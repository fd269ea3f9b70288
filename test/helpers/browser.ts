import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { ensureChromium } from './chromium.ts';

/** Screenshots, kept as build output. */
export const OUTPUT: string = join(import.meta.dirname, '../output');

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** A Chromium of its own that finds no name but those given, which are this machine. Takes minutes if one has to be installed. */
export async function openBrowser(...names: readonly string[]): Promise<Browser> {
  mkdirSync(OUTPUT, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), 'everwarm-chromium-'));
  const rules = names.map((name) => `MAP ${name} 127.0.0.1, `).join('');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: await ensureChromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${rules}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
    ],
    viewport: { width: 1280, height: 1000 },
  });
  const close = async (): Promise<void> => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** All that goes wrong in a page: errors, dialogs, refused scripts. */
export function troublesOf(page: Page): string[] {
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    troubles.push(`console: ${message.text()} (${message.location().url})`);
  });
  return troubles;
}

export interface AxeScope {
  /** Selector of the only part that is looked at. */
  readonly within?: string;
  /** Rules that are not looked after. */
  readonly except?: readonly string[];
}

/** What axe-core finds serious or critical, as `rule: element`. */
export async function seriousFindings(
  page: Page,
  { within = 'html', except = [] }: AxeScope = {},
): Promise<string[]> {
  const rules = Object.fromEntries(except.map((rule) => [rule, { enabled: false }]));
  // Evaluated, not added as a script: the page's policy refuses those.
  await page.evaluate(axe.source);
  const findings = await page.evaluate(
    `axe.run(${JSON.stringify(within)}, ${JSON.stringify({ rules })}).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ target }) => target.join(" ")) })))`,
  );
  return (findings as { id: string; impact: string; nodes: string[] }[])
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.join(', ')}`);
}
