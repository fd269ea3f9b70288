# Everwarm's processes: `docker run … everwarm worker --loaders loaders.mjs`, likewise scheduler and dashboard.
# The loaders file and what it imports come in /app: mounted, or by an image FROM this one. There
# `import { defineLoader } from 'everwarm'` finds the Everwarm of this image.
FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build \
 && npm prune --omit=dev --no-audit --no-fund \
 && npm install --no-save --omit=dev --no-audit --no-fund prom-client@15.1.3 @opentelemetry/api@1.9.0 \
 && rm -rf dist/test dist/bench dist/examples

FROM node:20-bookworm-slim
ENV NODE_ENV=production \
    EVERWARM_HEALTH_PORT=8080 \
    EVERWARM_HEALTH_HOST=0.0.0.0
COPY --from=build /build/package.json /opt/everwarm/
COPY --from=build /build/node_modules /opt/everwarm/node_modules
COPY --from=build /build/dist /opt/everwarm/dist
RUN mkdir -p /node_modules && ln -s /opt/everwarm /node_modules/everwarm
WORKDIR /app
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.EVERWARM_HEALTH_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/everwarm/dist/src/cli/main.js"]
CMD ["--help"]
