// Drives npm wampy, unchanged. Argument: json or msgpack.
import { createRequire } from 'node:module';
import { Wampy } from 'wampy';
import { JsonSerializer } from 'wampy/JsonSerializer.js';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import * as cryptosign from 'wampy/cryptosign.js';
import * as wampcra from 'wampy/wampcra.js';
import nacl from 'tweetnacl';
import { bytesFor, report, serve, unwrap, wrap } from './protocol.mjs';

// wampy wants a WebSocket handed in on Node 18 and 20: the one it depends on itself.
const require = createRequire(import.meta.url);
const WebSocket = createRequire(require.resolve('wampy'))('ws');
const serializer = process.argv[2];
const Serializer = { json: JsonSerializer, msgpack: MsgpackSerializer }[serializer];
const sessions = new Map();
const subscriptions = new Map();

// What a connection needs to log in; see drivers.py.
function login(auth) {
  if (!auth) return {};
  const { method, authid, secret, private_key: seed } = auth;
  const plugin = {
    ticket: () => () => secret,
    wampcra: () => wampcra.sign(secret),
    cryptosign: () => cryptosign.sign(seed),
  }[method]();
  const pair = seed && nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(seed, 'hex')));
  return {
    authid, authmethods: [method], authMode: 'auto', authPlugins: { [method]: plugin },
    authextra: pair ? { pubkey: Buffer.from(pair.publicKey).toString('hex') } : {},
  };
}

serve({
  async open({ session, url, realm, reconnect, auth }) {
    const client = new Wampy(url, {
      ...login(auth),
      realm, ws: WebSocket, serializer: new Serializer(), autoReconnect: Boolean(reconnect),
      reconnectInterval: 50, maxRetries: 1000,
      onReconnectSuccess: () => report({ reconnected: session }),
      onClose: () => report({ closed: session, reason: 'closed' }),
      onError: (error) => report({ failed: session, reason: String(error && error.message) }),
    });
    const { authid, authrole, authmethod } = await client.connect();
    sessions.set(session, client);
    return {
      session_id: String(client.getSessionId()), protocol: client._ws.protocol, authid, authrole, authmethod,
    };
  },
  async subscribe({ session, topic, options }) {
    const handler = ({ argsList, argsDict, details }) =>
      report({
        event: session, topic, args: wrap(argsList || []), kwargs: wrap(argsDict || {}), details: wrap(details || {}),
      });
    const subscription = await sessions.get(session).subscribe(topic, handler, options);
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
  // The endpoint returns what it is called with; "progress" first sends so many progressive results.
  async register({ session, procedure, options }) {
    const endpoint = ({ argsList = [], argsDict = {}, result_handler: send }) => {
      if (argsList[0] === 'fail') {
        throw { error: 'app.error.asked', details: {}, argsList: argsList.slice(1), argsDict };
      }
      if (argsList[0] === 'progress') {
        for (let n = 0; n < argsList[1]; ++n) send({ options: { progress: true }, argsList: [n] });
      }
      return { argsList, argsDict };
    };
    const { registrationId } = await sessions.get(session).register(procedure, endpoint, options);
    return { registration: registrationId };
  },
  async call({ session, procedure, args, kwargs, options }) {
    const convert = bytesFor(serializer);
    const payload = { argsList: unwrap(args, convert), argsDict: unwrap(kwargs, convert) };
    const progress = [];
    const asked = { ...options };
    if (asked.receive_progress) {
      delete asked.receive_progress;
      asked.progress_callback = ({ argsList }) => progress.push(wrap(argsList[0]));
    }
    const result = await sessions.get(session).call(procedure, payload, asked);
    return { args: wrap(result.argsList || []), kwargs: wrap(result.argsDict || {}), progress };
  },
  async close({ session }) {
    await sessions.get(session).disconnect();
    return {};
  },
});
