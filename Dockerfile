# syntax=docker/dockerfile:1
# One image for every role: `docker run … reelstream api | projector | media | relay | serve | migrate`.

FROM node:24-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages are the binaries of the embedded profile (PostgreSQL, FFmpeg, Node): 400 MB that a cluster does
# not need. Only those packages and development tools have install scripts.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-trixie-slim AS web
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# With the optional packages: the compilers of the page are among them.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY web web
RUN npm run build

# Debian 13 has FFmpeg 7.1 and gives it security updates. ReelStream finds it on PATH.
FROM node:24-trixie-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY --from=web /app/web/dist web/dist
COPY package.json LICENSE ./
COPY bin bin
COPY migrations migrations
COPY projections projections
COPY src src
# The pages under /docs have the look of the studio.
COPY web/src/styles/tokens.css web/src/styles/
COPY web/public/favicon.svg web/public/
# The only folder that a role writes to: incoming uploads and files of FFmpeg.
RUN install -d -o node -g node /data
# All roles have the same default port, for the health check below. For MALLOC_MMAP_THRESHOLD_ see bin/reelstream.js.
ENV DATA_DIR=/data PORT=3000 MALLOC_MMAP_THRESHOLD_=4000000
USER node
# PORT, and SOCKET_PORT for clients of the original server.
EXPOSE 3000 3002
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "bin/reelstream.js"]
CMD ["serve"]
