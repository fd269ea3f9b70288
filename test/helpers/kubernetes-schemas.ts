import type { Schema } from 'ajv';
import { fields, flag, list, oneOf, text, textMap, whole } from './strict-schema.ts';

const name: Schema = { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' };
const metadata = fields({ name, labels: textMap, annotations: textMap });
const named = { ...(metadata as object), required: ['name'] };
const matchLabels = fields({ matchLabels: textMap }, 'matchLabels');
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
const quantity: Schema = { type: 'string', pattern: '^\\d+(\\.\\d+)?(m|Ki|Mi|Gi)?$' };
const resources = fields({ cpu: quantity, memory: quantity });

const probe = fields(
  {
    httpGet: fields({ path: { type: 'string', pattern: '^/' }, port: name }, 'path', 'port'),
    initialDelaySeconds: whole,
    periodSeconds: whole,
    timeoutSeconds: whole,
    failureThreshold: whole,
  },
  'httpGet',
);

const container = fields(
  {
    name,
    image: text,
    args: list(text),
    envFrom: list(fields({ configMapRef: fields({ name }), secretRef: fields({ name }) })),
    ports: list(fields({ name, containerPort: port }, 'containerPort')),
    livenessProbe: probe,
    readinessProbe: probe,
    resources: fields({ requests: resources, limits: resources }),
    securityContext: fields({
      allowPrivilegeEscalation: flag,
      readOnlyRootFilesystem: flag,
      capabilities: fields({ drop: list(text) }),
    }),
  },
  'name',
  'image',
);

const pod = fields(
  {
    terminationGracePeriodSeconds: whole,
    automountServiceAccountToken: flag,
    securityContext: fields({
      runAsNonRoot: flag,
      runAsUser: whole,
      seccompProfile: fields({ type: oneOf('RuntimeDefault') }, 'type'),
    }),
    containers: list(container),
  },
  'containers',
);

const scalingRules = fields({
  stabilizationWindowSeconds: whole,
  policies: list(
    fields(
      { type: oneOf('Pods', 'Percent'), value: whole, periodSeconds: whole },
      'type',
      'value',
      'periodSeconds',
    ),
  ),
});

const externalMetric = fields(
  {
    metric: fields({ name: text }, 'name'),
    target: fields({ type: oneOf('AverageValue', 'Value'), averageValue: quantity }, 'type'),
  },
  'metric',
  'target',
);

const SPECS: Readonly<Record<string, { readonly of: string; readonly spec: Schema }>> = {
  Deployment: {
    of: 'apps/v1',
    spec: fields(
      {
        replicas: whole,
        selector: matchLabels,
        template: fields({ metadata, spec: pod }, 'metadata', 'spec'),
      },
      'selector',
      'template',
    ),
  },
  PodDisruptionBudget: {
    of: 'policy/v1',
    spec: fields({ maxUnavailable: whole, selector: matchLabels }, 'selector'),
  },
  HorizontalPodAutoscaler: {
    of: 'autoscaling/v2',
    spec: fields(
      {
        scaleTargetRef: fields({ apiVersion: text, kind: text, name }, 'kind', 'name'),
        minReplicas: whole,
        maxReplicas: whole,
        metrics: list(
          fields({ type: oneOf('External'), external: externalMetric }, 'type', 'external'),
        ),
        behavior: fields({ scaleUp: scalingRules, scaleDown: scalingRules }),
      },
      'scaleTargetRef',
      'maxReplicas',
    ),
  },
  Service: {
    of: 'v1',
    spec: fields({
      selector: textMap,
      ports: list(fields({ name, port, targetPort: name }, 'port')),
    }),
  },
};

/** The fields of a kind of Kubernetes object that the examples use, as its API has them, and no others. */
export function kubernetesSchema(kind: string): Schema {
  if (kind === 'ConfigMap' || kind === 'Secret') {
    const content = kind === 'Secret' ? 'stringData' : 'data';
    const own = { apiVersion: oneOf('v1'), kind: text, metadata: named, [content]: textMap };
    return fields(own, 'apiVersion', 'kind', 'metadata', content);
  }
  const known = SPECS[kind];
  if (!known) throw new Error(`there is no schema for ${kind}`);
  const own = { apiVersion: oneOf(known.of), kind: text, metadata: named, spec: known.spec };
  return fields(own, 'apiVersion', 'kind', 'metadata', 'spec');
}
