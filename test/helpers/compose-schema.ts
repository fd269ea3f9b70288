import type { Schema } from 'ajv';
import { fields, flag, list, oneOf, text, textMap, whole } from './strict-schema.ts';

const span: Schema = { type: 'string', pattern: '^\\d+(ms|s|m|h)$' };
const textOrList: Schema = { anyOf: [text, list(text)] };

const service = fields({
  image: text,
  build: text,
  init: flag,
  read_only: flag,
  cap_drop: list(text),
  security_opt: list(text),
  command: textOrList,
  environment: textMap,
  volumes: list({ type: 'string', pattern: '^[^:]+(:-[^:]+)?:/[^:]+(:ro)?$' }),
  ports: list({ type: 'string', pattern: '^127\\.0\\.0\\.1:\\d+:\\d+$' }),
  restart: oneOf('no', 'always', 'on-failure', 'unless-stopped'),
  stop_grace_period: span,
  deploy: fields({ replicas: whole }),
  healthcheck: fields({ test: list(text), interval: span, timeout: span, retries: whole }, 'test'),
  depends_on: {
    anyOf: [
      list(text),
      {
        type: 'object',
        additionalProperties: fields(
          {
            condition: oneOf(
              'service_started',
              'service_healthy',
              'service_completed_successfully',
            ),
          },
          'condition',
        ),
      },
    ],
  },
});

/** The fields of the Compose specification that docker-compose.yml uses, as it has them, and no others. */
export const COMPOSE_FILE: Schema = {
  type: 'object',
  properties: {
    services: { type: 'object', additionalProperties: service },
    volumes: { type: 'object', additionalProperties: { type: 'null' } },
  },
  patternProperties: { '^x-': {} },
  required: ['services'],
  additionalProperties: false,
};
