import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { everwarmProgram } from '../../src/cli/program.ts';
import { COMPOSE_FILE } from '../helpers/compose-schema.ts';
import { kubernetesSchema } from '../helpers/kubernetes-schemas.ts';
import { problemsOf } from '../helpers/strict-schema.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const cli = new Set(
  everwarmProgram().commands.flatMap(({ options }) => options.map(({ long }) => long)),
);

interface Compose {
  readonly services: Record<string, { command?: string; volumes?: string[]; deploy?: object }>;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: its schema has been looked at first
  readonly spec: any;
}

function flagsOf(command: string): string[] {
  return command.match(/--[a-z-]+/g) ?? [];
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;

  it('has the fields of the Compose specification', () => {
    expect(problemsOf(COMPOSE_FILE, compose)).toEqual([]);
    const misspelt = { services: { worker: { imag: 'everwarm' } } };
    expect(problemsOf(COMPOSE_FILE, misspelt)).toHaveLength(1);
  });

  it('runs two workers', () => {
    expect(compose.services.worker?.deploy).toEqual({ replicas: 2 });
  });

  it('gives its roles flags that they have', () => {
    for (const role of ['worker', 'scheduler', 'dashboard']) {
      const flags = flagsOf(compose.services[role]?.command ?? '');
      expect(flags).not.toEqual([]);
      for (const flag of flags) expect(cli).toContain(flag);
    }
  });

  it('mounts examples that are there, the rules and the dashboard', () => {
    const mounted = Object.values(compose.services)
      .flatMap(({ volumes = [] }) => volumes)
      .filter((volume) => volume.startsWith('./'))
      .map((volume) => volume.split(':', 1)[0] as string);
    for (const path of mounted.filter((path) => path.startsWith('./examples/'))) {
      expect(existsSync(new URL(path, root)), path).toBe(true);
      expect(parse(read(path))).toBeTypeOf('object');
    }
    expect(mounted).toContain('./dashboards/prometheus/rules.yml');
    expect(mounted).toContain('./dashboards/grafana/everwarm.json');
  });
});

describe('examples/kubernetes', () => {
  const manifests = readdirSync(new URL('examples/kubernetes', root)).flatMap((file) =>
    parseAllDocuments(read(`examples/kubernetes/${file}`)).map((one) => one.toJS() as Manifest),
  );
  const of = (kind: string): Manifest[] => manifests.filter((one) => one.kind === kind);

  it.each(manifests)('has the fields of its API: $kind $metadata.name', (manifest) => {
    expect(problemsOf(kubernetesSchema(manifest.kind), manifest)).toEqual([]);
  });

  it('selects the pods that it describes', () => {
    const labels = of('Deployment').map(({ spec }) => spec.template.metadata.labels);
    for (const { spec } of of('Deployment')) {
      expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
    }
    for (const { spec } of of('PodDisruptionBudget')) {
      expect(labels).toContainEqual(spec.selector.matchLabels);
    }
    for (const { spec } of of('Service')) expect(labels).toContainEqual(spec.selector);
    const names = of('Deployment').map(({ metadata }) => metadata.name);
    for (const { spec } of of('HorizontalPodAutoscaler')) {
      expect(names).toContain(spec.scaleTargetRef.name);
    }
  });

  it('probes every role at paths and a port that it has, with flags that it has', () => {
    expect(of('Deployment')).toHaveLength(3);
    for (const { spec } of of('Deployment')) {
      const [container] = spec.template.spec.containers;
      expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'health' });
      expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'health' });
      expect(container.ports).toContainEqual({ name: 'health', containerPort: 8_080 });
      for (const flag of flagsOf(container.args.join(' '))) expect(cli).toContain(flag);
    }
  });

  it('gives a worker longer to end than its own grace', () => {
    const worker = of('Deployment').find(({ metadata }) => metadata.name === 'everwarm-worker');
    const { terminationGracePeriodSeconds, containers } = worker?.spec.template.spec ?? {};
    const grace = Number.parseInt(containers[0].args.at(-1), 10);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(grace + 8);
  });
});

describe('Dockerfile', () => {
  const [, final = ''] = read('Dockerfile').split(/^FROM .*(?<!AS build)$/m);

  it('runs as a user that is not root, and is asked for its health', () => {
    expect(final).toMatch(/^USER node$/m);
    expect(final).toMatch(/^HEALTHCHECK [\s\S]*\/healthz/m);
    expect(final.indexOf('USER node')).toBeLessThan(final.indexOf('ENTRYPOINT'));
  });

  it('gets what it copies past .dockerignore', () => {
    const kept = read('.dockerignore').split('\n');
    const needed = ['package.json', 'package-lock.json', 'scripts', 'src', 'workers', 'dashboards'];
    for (const path of needed) expect(kept).toContain(`!${path}`);
  });
});
