// Key pairs for the tests, drawn anew in each run.
#pragma once

#include <string>

#include "auth/jwt_key.h"

namespace ringcast::auth::test {

struct KeyPair {
  JwtKey issuer;           // signs
  std::string public_pem;  // for the router
  std::string private_pem;
};

// They throw where the key is none that JwtKey takes.
KeyPair rsa_pair(unsigned bits = 2048);
KeyPair ec_pair(const char* curve = "P-256");
KeyPair ed25519_pair();

// A public key in PEM of a kind that no algorithm of ours uses.
std::string x25519_public_pem();
std::string rsa_public_pem(unsigned bits);
std::string ec_public_pem(const char* curve);

}  // namespace ringcast::auth::test
