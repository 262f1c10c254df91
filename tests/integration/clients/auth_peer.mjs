// autobahn-js and wampy as signers, asked by tests/auth. Standard input is a JSON list of requests, each
// {"op": NAME, ...}; standard output the list of answers: one of each client, by its name.
import { readFileSync } from "node:fs";
import autobahn from "autobahn";
import nacl from "tweetnacl";
import * as wampyCra from "wampy/wampcra.js";
import * as wampyCryptosign from "wampy/cryptosign.js";

async function cra({ secret, extra }) {
  const key = extra.salt
    ? autobahn.auth_cra.derive_key(secret, extra.salt, extra.iterations, extra.keylen)
    : secret;
  return {
    autobahn: autobahn.auth_cra.sign(key, extra.challenge),
    wampy: await wampyCra.sign(secret)("wampcra", extra),
  };
}

function sign({ private_key, challenge }) {
  const pair = nacl.sign.keyPair.fromSeed(Uint8Array.from(Buffer.from(private_key, "hex")));
  return {
    autobahn: autobahn.auth_cryptosign.sign_challenge(pair, { challenge }),
    wampy: wampyCryptosign.sign(private_key)("cryptosign", { challenge }),
  };
}

const operations = { cra, sign };
const answers = [];
for (const request of JSON.parse(readFileSync(0, "utf8"))) {
  answers.push(await operations[request.op](request));
}
console.log(JSON.stringify(answers));
