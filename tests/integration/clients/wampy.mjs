// Drives npm wampy, unchanged. Argument: json or msgpack.
import { createRequire } from 'node:module';
import { Wampy } from 'wampy';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { bytesFor, report, serve, unwrap, wrap } from './protocol.mjs';

// wampy wants a WebSocket handed in on Node 18 and 20: the one it depends on itself.
const require = createRequire(import.meta.url);
const WebSocket = createRequire(require.resolve('wampy'))('ws');
const serializer = process.argv[2];
const Serializer = { json: JsonSerializer, msgpack: MsgpackSerializer }[serializer];
const sessions = new Map();
const subscriptions = new Map();

serve({
  async open({ session, url, realm, reconnect }) {
    const client = new Wampy(url, {
      realm, ws: WebSocket, serializer: new Serializer(), autoReconnect: Boolean(reconnect),
      reconnectInterval: 50, maxRetries: 1000,
      onReconnectSuccess: () => report({ reconnected: session }),
      onClose: () => report({ closed: session, reason: 'closed' }),
      onError: (error) => report({ failed: session, reason: String(error && error.message) }),
    });
    await client.connect();
    sessions.set(session, client);
    return { session_id: String(client.getSessionId()), protocol: client._ws.protocol };
  },
  async subscribe({ session, topic }) {
    const handler = ({ argsList, argsDict }) =>
      report({ event: session, topic, args: wrap(argsList || []), kwargs: wrap(argsDict || {}) });
    const subscription = await sessions.get(session).subscribe(topic, handler);
    subscriptions.set(`${session} ${topic}`, subscription.subscriptionKey);
    return { subscription: subscription.subscriptionId };
  },
  async unsubscribe({ session, topic }) {
    await sessions.get(session).unsubscribe(subscriptions.get(`${session} ${topic}`));
    return {};
  },
  async publish({ session, topic, args, kwargs, options }) {
    const convert = bytesFor(serializer);
    const payload = { argsList: unwrap(args, convert), argsDict: unwrap(kwargs, convert) };
    const { acknowledge, ...others } = options || {};  // it always asks for an acknowledgement
    const { publicationId } = await sessions.get(session).publish(topic, payload, others);
    return { publication: String(publicationId) };
  },
  async close({ session }) {
    await sessions.get(session).disconnect();
    return {};
  },
});
