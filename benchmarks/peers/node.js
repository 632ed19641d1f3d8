// The child that measures Adobe's SDK for Node.js. Give the folder with its node_modules as argument.
//
// It is measured at its best: requests are plain objects, as it takes them; what it reports ends where it is handed
// over; no telemetry; nothing leaves this process.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const modules = path.resolve(process.argv[2], "node_modules");
const answer204 = { ok: true, status: 204, headers: new Map(), json: async () => ({}), text: async () => "" };
global.fetch = async () => answer204; // the SDK keeps the one it finds when it is loaded

const name = "@adobe/target-nodejs-sdk";
const TargetClient = require(path.join(modules, name));
const { version } = JSON.parse(fs.readFileSync(path.join(modules, name, "package.json"), "utf-8"));
const clients = new Map();

const commands = {
  async open({ workload, artifact }) {
    const artifactPayload = JSON.parse(fs.readFileSync(artifact, "utf-8"));
    await new Promise((clientReady) => {
      const client = TargetClient.create({
        client: "acme",
        organizationId: "1234567890@AdobeOrg",
        decisioningMethod: "on-device",
        artifactPayload,
        pollingInterval: 0,
        telemetryEnabled: false,
        events: { clientReady },
      });
      client.sendNotifications = async () => undefined;
      clients.set(workload, client);
    });
    return { versions: { [name]: version, node: process.version } };
  },

  async burst({ workload, requests }) {
    const client = clients.get(workload);
    const ns = [];
    for (const request of requests) {
      const began = process.hrtime.bigint();
      await client.getOffers({ request });
      ns.push(Number(process.hrtime.bigint() - began));
    }
    return { ns };
  },

  async answer({ workload, requests }) {
    const client = clients.get(workload);
    const responses = [];
    for (const request of requests) {
      responses.push((await client.getOffers({ request })).response);
    }
    return { responses };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: what, ...options } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await commands[what](options))}\n`);
  }
}

main();
