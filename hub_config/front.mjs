// The front: the only part that listens on the network. It takes connections from the building only, speaks TLS, and
// passes everything on: pages to the hub and the gateway, notebooks to their servers, whose routes the hub sets.
//
// `node front.mjs SETTINGS`, a JSON file; see `parts.py`. The proxy itself is configurable-http-proxy.

import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import ConfigurableProxy from "configurable-http-proxy/lib/configproxy.js";
import { defaultLogger } from "configurable-http-proxy/lib/log.js";
import { Refusals } from "./notices.mjs";

const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const log = defaultLogger({ level: "warn" });
const refusals = new Refusals(settings.notices, log);

const building = new net.BlockList(); // used the other way round: what it holds is let in
for (const network of settings.allowedNetworks) {
  const [address, bits] = network.split("/");
  const family = net.isIPv6(address) ? "ipv6" : "ipv4";
  building.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
}

function isInside(address) {
  const plain = (address ?? "").replace(/^::ffff:/, "");
  return net.isIP(plain) !== 0 && building.check(plain, net.isIPv6(plain) ? "ipv6" : "ipv4");
}

const socketUrl = (path) => `http+unix://${encodeURIComponent(path)}`;

const proxy = new ConfigurableProxy({
  log,
  authToken: settings.token,
  defaultTarget: socketUrl(settings.hub),
  errorPath: settings.errorPages,
  ssl: {
    cert: fs.readFileSync(settings.certificate),
    key: fs.readFileSync(settings.key),
    minVersion: "TLSv1.2",
  },
  xfwd: true,
  keepAliveTimeout: 330_000, // longer than browsers keep a connection: else both end it at once, and a page breaks
});
// Sockets behind the front stay open. Closed after each answer, as the proxy would have it for Unix sockets, they make
// node trip over its own last, empty write: the request was carried out, and the person would be told that it failed.
const kept = new http.Agent({ keepAlive: true });
const optionsFor = proxy.proxyOptsForTarget.bind(proxy);
proxy.proxyOptsForTarget = (target) => ({ ...optionsFor(target), agent: kept });
proxy.proxyServer.prependListener("request", (request) => {
  request.headers.connection = "keep-alive"; // behind the front, whatever the browser says of its own connection
});

await proxy.addRoute(settings.gatewayPrefix, { target: socketUrl(settings.gateway) });

// Before TLS, and so before any page, websocket or notebook: who is not in the building meets a closed door.
proxy.proxyServer.prependListener("connection", (socket) => {
  if (!isInside(socket.remoteAddress)) {
    log.warn(`refused: ${socket.remoteAddress} is not in an allowed network`);
    refusals.add((socket.remoteAddress ?? "").replace(/^::ffff:/, "").replace(/%.*$/, ""));
    socket.destroy();
  }
});

for (const server of [proxy.proxyServer, proxy.apiServer]) {
  server.on("error", (error) => {
    log.error(`cannot listen: ${error.message}`);
    process.exit(1);
  });
}
process.on("uncaughtException", (error) => log.error(error.stack));
process.on("SIGTERM", () => {
  refusals.end();
  process.exit(0);
});

fs.rmSync(settings.routesSocket, { force: true });
proxy.apiServer.listen(settings.routesSocket);
proxy.proxyServer.listen(settings.port, settings.address);
