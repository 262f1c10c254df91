// The peer: plain WebSocket publish/subscribe on ws, the server that most Node.js programs use. It speaks as
// bun-server.js does: ?role=pub or ?role=sub, &topic=N. ws has no topics, so a broadcast is a loop over a set, as in
// its own documentation. Prints its port on standard output once it listens; ends on SIGTERM.
//
//   node bench/peers/ws-server.js [PORT]    (0 or none: any free port)

const { WebSocketServer } = require("ws");

const subscribers = new Map(); // by topic

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  perMessageDeflate: false,
});

server.on("connection", (client, request) => {
  const query = new URL(request.url, "ws://localhost").searchParams;
  const topic = query.get("topic") ?? "0";
  client.on("error", () => {}); // a peer that vanishes is no reason to end
  if (query.get("role") === "pub") {
    client.on("message", (message) => {
      for (const other of subscribers.get(topic) ?? []) other.send(message);
    });
    return;
  }
  if (!subscribers.has(topic)) subscribers.set(topic, new Set());
  const members = subscribers.get(topic);
  members.add(client);
  client.on("close", () => {
    members.delete(client);
    if (members.size === 0) subscribers.delete(topic);
  });
});

server.on("listening", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
