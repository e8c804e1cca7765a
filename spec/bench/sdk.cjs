// SPDX-License-Identifier: MIT
// TagoIO's own SDK for JavaScript, which is found in NODE_PATH.
//
// usage: sdk.cjs info|teamList URL ID COUNT IN_FLIGHT
const { readFileSync } = require("fs");
const { Resources } = require("@tago-io/sdk");

const [work, url, id, count, inFlight] = process.argv.slice(2);
const region = { api: url };
const resources = new Resources({ token: process.env.EMULATOR_TOKEN, region });

async function run(total) {
  let left = total;
  const runners = Array.from({ length: Number(inFlight) }, async () => {
    while (left-- > 0) {
      await resources.profiles[work](id);
    }
  });
  await Promise.all(runners);
}

async function main() {
  await run(Number(inFlight));
  const wall = performance.now();
  const before = process.cpuUsage();
  await run(Number(count));
  const passed = (performance.now() - wall) / 1e3;
  const { user, system } = process.cpuUsage(before);
  const peak = readFileSync("/proc/self/status", "utf8").match(/VmHWM:\s*(\d+)/)[1];
  console.log((user + system) / 1e6, passed, peak);
  process.exit(0);
}

main();
