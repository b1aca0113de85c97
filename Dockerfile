# An image whose program is wsync, as client, server or daemon. In a clone: docker build -t wsync .
FROM node:22-bookworm-slim AS build
WORKDIR /wsync
COPY . .
RUN npm ci && mkdir /package && npm pack --silent --pack-destination /package

FROM node:22-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends openssh-client libzstd1 liblz4-1 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /package /package
RUN npm install -g /package/*.tgz && rm -rf /package
WORKDIR /data
EXPOSE 873
ENTRYPOINT ["wsync"]
