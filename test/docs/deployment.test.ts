import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { everwarmProgram } from '../../src/cli/program.ts';
import {
  composeProblems,
  kubernetesProblems,
  type Manifest,
} from '../helpers/deployment-schemas.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const cli = new Set(
  everwarmProgram().commands.flatMap(({ options }) => options.map(({ long }) => long)),
);

interface Compose {
  readonly services: Record<
    string,
    { command?: string; volumes?: string[]; ports?: string[]; deploy?: object }
  >;
}

function flagsOf(command: string): string[] {
  return command.match(/--[a-z-]+/g) ?? [];
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;

  it('is what the Compose specification describes', () => {
    expect(composeProblems(compose)).toEqual([]);
    const wrong = { services: { worker: { imag: 'everwarm', healthcheck: { retries: 'many' } } } };
    expect(composeProblems(wrong)).toEqual([
      expect.stringContaining('"additionalProperty":"imag"'),
      expect.stringContaining('/services/worker/healthcheck/retries must be number'),
    ]);
  });

  it('publishes ports on loopback alone', () => {
    const ports = Object.values(compose.services).flatMap((service) => service.ports ?? []);
    expect(ports).toHaveLength(3);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
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

  it('is what the Kubernetes API describes', async () => {
    const kinds = new Set(manifests.map(({ kind }) => kind));
    for (const kind of ['Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']) {
      expect(kinds).toContain(kind);
    }
    expect(await kubernetesProblems(manifests)).toBe('');
  }, 60_000);

  it('would not be with a field misspelt, of another type, or missing', async () => {
    const [worker] = of('Deployment');
    const [budget] = of('PodDisruptionBudget');
    const [scaler] = of('HorizontalPodAutoscaler');
    if (!worker || !budget || !scaler) throw new Error('they are there');
    const { maxReplicas: _, ...unbounded } = scaler.spec;
    const { selector, ...rest } = budget.spec;
    const problems = await kubernetesProblems([
      { ...worker, spec: { ...worker.spec, replicas: '2' } },
      { ...budget, spec: { ...rest, selectors: selector } },
      { ...scaler, spec: unbounded },
    ]);
    expect(problems).toMatch(/^Deployment-.*'string' is not assignable to type 'number'/m);
    expect(problems).toMatch(/^PodDisruptionBudget-.*selectors.* does not exist/m);
    expect(problems).toMatch(/^HorizontalPodAutoscaler-.*'maxReplicas' is missing/m);
  }, 60_000);

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

  it('says who may open the dashboard, which others can reach', () => {
    const dashboard = of('Deployment').find(({ metadata }) => metadata.name.endsWith('dashboard'));
    const [{ args, envFrom }] = dashboard?.spec.template.spec.containers ?? [];
    expect(args).toContain('0.0.0.0');
    expect(envFrom).toContainEqual({ secretRef: { name: 'everwarm-dashboard' } });
    const secret = of('Secret').find(({ metadata }) => metadata.name === 'everwarm-dashboard');
    expect(secret).toMatchObject({
      stringData: { EVERWARM_DASHBOARD_AUTH: expect.stringMatching(/^ann:/) },
    });
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
