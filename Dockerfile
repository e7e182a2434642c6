# syntax=docker/dockerfile:1
# One image for every role: `docker run … reelstream api | projector | media | relay | serve | migrate`.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Every optional package is a binary of the embedded profile (PostgreSQL, FFmpeg, Node itself): 400 MB that a
# cluster has elsewhere. The install scripts belong to those packages and to development.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
# Debian's FFmpeg gets Debian's security updates; it is found on PATH.
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY bin bin
COPY migrations migrations
COPY projections projections
COPY src src
# The only folder that a role writes to: uploads on their way to the object store, and FFmpeg's work.
RUN install -d -o node -g node /data
# One port whatever the role, so that the check below finds it.
ENV DATA_DIR=/data PORT=3000
USER node
# SOCKET_PORT beside PORT, for clients of the seed.
EXPOSE 3000 3002
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/reelstream.js"]
CMD ["serve"]
