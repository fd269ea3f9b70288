import { aptGet, findOnPath } from './debian.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const CHOICES = `Put ${NAMES.join(', ')} on the PATH, or run as root (or with sudo that asks no password) on Debian, where it is installed by apt-get.`;

/**
 * The path of a Chromium, installed first if there is none: Debian's, by apt-get.
 * Takes up to a few minutes then; give the hook that calls it time.
 */
export async function ensureChromium(): Promise<string> {
  const found = findOnPath(NAMES);
  if (found !== undefined) return found;
  await installChromium();
  const installed = findOnPath(NAMES);
  if (installed === undefined) {
    throw new Error(`apt-get installed chromium, yet none is on the PATH. ${CHOICES}`);
  }
  return installed;
}

async function installChromium(): Promise<void> {
  if (findOnPath(['apt-get']) === undefined) {
    throw new Error(`no Chromium on the PATH, and no apt-get to install it. ${CHOICES}`);
  }
  process.stderr.write("browser tests: no Chromium on the PATH, installing Debian's by apt-get\n");
  try {
    await aptGet('update');
    await aptGet('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    const text = `no Chromium on the PATH, and apt-get could not install it. ${CHOICES}`;
    throw new Error(text, { cause: error });
  }
}
