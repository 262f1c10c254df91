// Credentials for principals that do not exist, so that nobody learns from CHALLENGE, or from how
// long a refusal takes, which authids do (WAMP specification, WAMP-SCRAM: "a mock CHALLENGE …
// always the same for a given authid"). Stateless; any thread.
//
// Whoever authenticates goes the same way for every authid: looks the principal up, takes
// decoy_credential() where there is none (or where it has nothing for the method), challenges,
// verifies, and only then refuses, with the same message as for a wrong secret. The verification
// derives or signs as much as the real one would.
//
// For WAMP-CRA, whose challenge shows the role too, give decoys the role that most principals have.
#pragma once

#include <string_view>

#include "auth/credential.h"
#include "auth/crypto.h"

namespace ringcast::auth {

// A credential of the kind and cost of `like` whose salt is always the same for (node_key, realm,
// authid), and which no password fits. `node_key` is a secret; all workers have the same, and it
// should outlive a restart: else two restarts show which salts have changed. `like` should be what
// most principals of the realm have.
Credential decoy_credential(const Bytes32& node_key, std::string_view realm,
                            std::string_view authid, const Credential& like);

}  // namespace ringcast::auth
