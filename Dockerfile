# The suite, to be pointed at a server:
#   docker build -t tsbt .
#   docker run --rm -v "$PWD/conformance-report:/report" -v tsbt-pki:/pki tsbt run --url https://my-rs:8443 --out /report
# Targets that the suite starts itself need Node, a program or an engine in here; use the suite from its repository for them.
FROM node:24-trixie-slim
WORKDIR /suite
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
COPY . .
# The PKI is the same in every run that has this volume: an implementation that trusts it stays configured.
RUN mkdir /pki /report && chown node:node /pki /report
ENV TSBT_PKI_DIR=/pki
VOLUME /pki
USER node
ENTRYPOINT ["node", "harness/cli.ts"]
CMD ["run", "--out", "/report"]
