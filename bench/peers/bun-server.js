// The peer: plain WebSocket publish/subscribe on Bun's server, which has uWebSockets inside. Every message of a
// client that connected with ?role=pub goes to all clients that connected with ?role=sub, by Bun's own topics;
// &topic=N gives either another topic than 0. Prints its port on standard output once it listens; ends on SIGTERM.
//
//   bun bench/peers/bun-server.js [PORT]    (0 or none: any free port)

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  fetch(request, server) {
    const query = new URL(request.url).searchParams;
    const role = query.get("role");
    if (role !== "pub" && role !== "sub") return new Response("connect with ?role=pub or ?role=sub\n", { status: 400 });
    const data = { publishes: role === "pub", topic: query.get("topic") ?? "0" };
    if (server.upgrade(request, { data })) return undefined;
    return new Response("this is a WebSocket server\n", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    open(client) {
      if (!client.data.publishes) client.subscribe(client.data.topic);
    },
    message(client, message) {
      if (client.data.publishes) server.publish(client.data.topic, message);
    },
  },
});

process.on("SIGTERM", () => {
  server.stop(true);
  process.exit(0);
});

console.log(server.port);
