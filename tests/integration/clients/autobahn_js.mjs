// Drives npm autobahn, unchanged. Argument: json or msgpack, or default for what it offers by itself.
import { createRequire } from 'node:module';
import { bytesFor, report, serve, unwrap, wrap } from './protocol.mjs';

const require = createRequire(import.meta.url);
const autobahn = require('autobahn');
const nacl = require('tweetnacl');

const serializer = process.argv[2];
const Serializer = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
}[serializer];
const sessions = new Map();
const subscriptions = new Map();

// What a connection needs to log in; see drivers.py.
function login(auth) {
  if (!auth) return {};
  const { method, authid, secret, private_key: seed } = auth;
  const pair = seed && nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(seed, 'hex')));
  const answers = {
    ticket: () => secret,
    wampcra: ({ challenge, salt, iterations, keylen }) => autobahn.auth_cra.sign(
      salt ? autobahn.auth_cra.derive_key(secret, salt, iterations, keylen) : secret, challenge),
    cryptosign: (extra) => autobahn.auth_cryptosign.sign_challenge(pair, extra),
  };
  return {
    authid, authmethods: [method],
    authextra: pair && { pubkey: Buffer.from(pair.publicKey).toString('hex'), channel_binding: null },
    onchallenge: (session, asked, extra) => answers[asked](extra),
  };
}

serve({
  open({ session, url, realm, auth }) {
    return new Promise((resolve, reject) => {
      const connection = new autobahn.Connection({
        url, realm, max_retries: 0, serializers: Serializer && [new Serializer()], ...login(auth),
      });
      connection.onopen = (opened, details) => {
        sessions.set(session, { connection, opened });
        const { authid, authrole, authmethod } = details;
        resolve({
          session_id: String(opened.id), protocol: details.transport.protocol, authid, authrole, authmethod,
        });
      };
      connection.onclose = (reason, details) => {
        report({ closed: session, reason: details.reason || reason });
        reject(new Error(`closed: ${reason} ${JSON.stringify(details)}`));
        return true;  // do not reconnect
      };
      connection.open();
    });
  },
  async subscribe({ session, topic, options }) {
    const handler = (args, kwargs, event) => {
      const { publisher, publisher_authid, publisher_authrole, retained } = event;
      // It tells the topic of the subscription where the event has none.
      const details = { publisher, publisher_authid, publisher_authrole, retained, topic: event.topic };
      report({ event: session, topic, args: wrap(args), kwargs: wrap(kwargs), details: wrap(details) });
    };
    const subscription = await sessions.get(session).opened.subscribe(topic, handler, options);
    subscriptions.set(`${session} ${topic}`, subscription);
    return { subscription: subscription.id };
  },
  async unsubscribe({ session, topic }) {
    await sessions.get(session).opened.unsubscribe(subscriptions.get(`${session} ${topic}`));
    return {};
  },
  async publish({ session, topic, args, kwargs, options }) {
    const convert = bytesFor(serializer);
    const publication = await sessions.get(session).opened.publish(
      topic, unwrap(args, convert), unwrap(kwargs, convert), options);
    return { publication: publication ? String(publication.id) : null };
  },
  // The endpoint returns what it is called with; "progress" first sends so many progressive results.
  // With `answers` it reports what it is called with as an event, and returns the answer for its second
  // argument, or else the one for "".
  async register({ session, procedure, options, answers }) {
    const decider = (args) => {
      report({ event: session, topic: procedure, args: wrap(args), kwargs: {}, details: {} });
      return args[1] in answers ? answers[args[1]] : answers[''];
    };
    const endpoint = (args, kwargs, details) => {
      if (args[0] === 'fail') throw new autobahn.Error('app.error.asked', args.slice(1), kwargs);
      if (args[0] === 'progress') {
        for (let n = 0; n < args[1]; ++n) details.progress([n]);
      }
      return new autobahn.Result(args, kwargs);
    };
    const registration = await sessions.get(session).opened.register(
      procedure, answers ? decider : endpoint, options);
    return { registration: registration.id };
  },
  async call({ session, procedure, args, kwargs, options }) {
    const convert = bytesFor(serializer);
    const deferred = sessions.get(session).opened.call(
      procedure, unwrap(args, convert), unwrap(kwargs, convert), options);
    const progress = [];
    const result = await new Promise((resolve, reject) => {
      deferred.then(resolve, reject, (some) => progress.push(wrap(some)));
    });
    // A single argument alone comes as it is.
    const whole = result instanceof autobahn.Result;
    return {
      args: wrap(whole ? result.args : result === null ? [] : [result]),
      kwargs: wrap(whole ? result.kwargs : {}),
      progress,
    };
  },
  // A call that "cancel" is for; says how it ended.
  async call_to_cancel({ session, procedure }) {
    const deferred = sessions.get(session).opened.call(procedure, []);
    sessions.get(session).canceled = deferred;
    return { ended: await new Promise((resolve) => {
      deferred.then(() => resolve("a result"), (error) => resolve(error.error ?? error.message));
    }) };
  },
  cancel({ session, mode }) {
    sessions.get(session).canceled.cancel(mode === null ? undefined : { mode });
    return {};
  },
  close({ session }) {
    sessions.get(session).connection.close();
    return {};
  },
});
