// The peer: the WAMP router fox-wamp (JSON only), with realm "realm1". Prints its port on standard output once it
// listens; ends on SIGTERM.
//
//   node bench/peers/fox-wamp-server.js [PORT]    (0 or none: any free port)

const FoxRouter = require("fox-wamp");

const router = new FoxRouter();
router.getRealm("realm1", () => {
  const server = router.listenWAMP({ host: "127.0.0.1", port: Number(process.argv[2] ?? 0), path: "/" });
  server.on("listening", () => console.log(server.address().port));
});
process.on("SIGTERM", () => process.exit(0));
