// The parts of the configuration file that say who may log in, and how.
#pragma once

#include <string>

#include "broker/config_table.h"
#include "worker/options.h"
#include "worker/realm.h"

namespace ringcast::broker {

inline constexpr std::size_t kPrincipalsPerRealmMax = 100'000;
inline constexpr std::size_t kSecretsPerPrincipalMax = 16;  // and as many public keys

// Of a realm or a template: [[realm.principal]] and [realm.jwt], whose roles `realm` has already.
// Paths of files are relative to `directory`.
void read_logins(ConfigTable& table, const std::string& directory, worker::Realm& realm);

// [authentication].
void read_authentication(ConfigTable& file, worker::WorkerOptions& options);

// The number of the role that `key` names; Realm::kNoRole, and an error, if there is none.
std::uint16_t read_role_name(ConfigTable& table, std::string_view key, const worker::Realm& realm);

}  // namespace ringcast::broker
