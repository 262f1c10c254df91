#include "auth/credential.h"

#include <cstddef>
#include <utility>

#include "auth/encoding.h"
#include "auth/saslprep.h"

namespace ringcast::auth {
namespace {

constexpr std::size_t kHashSize = 32;

Failure no_memory(const Argon2Cost& cost) {
  return {"argon2id could not get " + std::to_string(cost.memory_kib) + " KiB of memory",
          "give the process more memory, or hash with a smaller m"};
}

Failure cost_refused() {
  return {
      "argon2id's cost is beyond what is allowed",
      "take 8 KiB a lane to 256 MiB of memory, 1 to 16 lanes, and memory times iterations up to "
      "4 GiB"};
}

Failure iterations_refused() {
  return {"PBKDF2's iterations are not within 1 to " + std::to_string(kPbkdf2IterationsMax),
          "600000 is a good choice"};
}

std::optional<Failure> password_refused(std::string_view password) {
  if (password.empty()) return Failure{"an empty password", "give one"};
  if (password.size() > kPasswordSizeMax)
    return Failure{"a password longer than " + std::to_string(kPasswordSizeMax) + " bytes",
                   "shorten it"};
  return std::nullopt;
}

bool iterations_allowed(std::uint32_t iterations) {
  return iterations >= 1 && iterations <= kPbkdf2IterationsMax;
}

struct Matches {
  std::string_view password;

  Verdict compare(std::string_view derived, std::string_view kept) const {
    return equal_constant_time(derived, kept) ? Verdict::accept()
                                              : Verdict::refuse("wrong password");
  }
  Verdict operator()(const PlainSecret& plain) const {
    // By digest: not even the length shows in how long it takes.
    return compare(view(sha256(password)), view(sha256(plain.secret)));
  }
  Verdict operator()(const Argon2idHash& kept) const {
    const auto hash = argon2id(password, kept.salt, kept.cost, kept.hash.size());
    if (!hash) return Verdict::refuse("argon2id found no memory");
    return compare(*hash, kept.hash);
  }
  Verdict operator()(const Pbkdf2Hash& kept) const {
    return compare(pbkdf2_sha256(password, kept.salt, kept.iterations, kept.hash.size()),
                   kept.hash);
  }
  Verdict operator()(const CraKey& kept) const {
    return compare(pbkdf2_sha256(password, kept.salt, kept.iterations, kept.key.size()), kept.key);
  }
  Verdict operator()(const ScramKeys& kept) const {
    const auto prepared = saslprep(password);
    // Goes on with the password as it is, so that refusing it takes as long.
    const std::string_view text = prepared ? std::string_view(*prepared) : password;
    const auto salted = kept.argon2
                            ? argon2id(text, kept.salt, *kept.argon2, kHashSize)
                            : pbkdf2_sha256(text, kept.salt, kept.pbkdf2_iterations, kHashSize);
    if (!salted) return Verdict::refuse("argon2id found no memory");
    const Verdict verdict =
        compare(view(scram_key_pair(*salted).stored_key), view(kept.keys.stored_key));
    return prepared ? verdict : Verdict::refuse("a password that SASLprep does not allow");
  }
};

}  // namespace

bool argon2_cost_allowed(const Argon2Cost& cost) {
  return cost.lanes >= 1 && cost.lanes <= kArgon2LanesMax && cost.memory_kib >= 8 * cost.lanes &&
         cost.memory_kib <= kArgon2MemoryMaxKib && cost.iterations >= 1 &&
         std::uint64_t{cost.memory_kib} * cost.iterations <= kArgon2WorkMaxKib;
}

Verdict verify_password(const Credential& credential, std::string_view password) {
  if (password.size() > kPasswordSizeMax) return Verdict::refuse("a ticket that is too long");
  return std::visit(Matches{password}, credential);
}

ScramKeyPair scram_key_pair(std::string_view salted_password) {
  return {sha256(view(hmac_sha256(salted_password, "Client Key"))),
          hmac_sha256(salted_password, "Server Key")};
}

std::string crossbar_salted_password(std::string_view argon2_hash) {
  return to_base64(argon2_hash, Base64::standard_unpadded);
}

Result<Credential> make_plain(std::string_view secret) {
  if (auto refused = password_refused(secret)) return *std::move(refused);
  return Credential{PlainSecret{std::string(secret)}};
}

Result<Credential> make_argon2id(std::string_view password, const Argon2Cost& cost,
                                 std::string_view salt) {
  if (auto refused = password_refused(password)) return *std::move(refused);
  if (!argon2_cost_allowed(cost)) return cost_refused();
  auto hash = argon2id(password, salt, cost, kHashSize);
  if (!hash) return no_memory(cost);
  return Credential{Argon2idHash{cost, std::string(salt), *std::move(hash)}};
}

Result<Credential> make_pbkdf2(std::string_view password, std::uint32_t iterations,
                               std::string_view salt) {
  if (auto refused = password_refused(password)) return *std::move(refused);
  if (!iterations_allowed(iterations)) return iterations_refused();
  return Credential{Pbkdf2Hash{iterations, std::string(salt),
                               pbkdf2_sha256(password, salt, iterations, kHashSize)}};
}

Result<Credential> make_cra_key(std::string_view password, std::uint32_t iterations,
                                std::string_view salt_text) {
  if (auto refused = password_refused(password)) return *std::move(refused);
  if (!iterations_allowed(iterations)) return iterations_refused();
  return Credential{CraKey{iterations, std::string(salt_text),
                           pbkdf2_sha256(password, salt_text, iterations, kHashSize)}};
}

Result<Credential> make_scram_argon2id(std::string_view password, const Argon2Cost& cost,
                                       std::string_view salt) {
  if (auto refused = password_refused(password)) return *std::move(refused);
  if (!argon2_cost_allowed(cost) || cost.lanes != 1) return cost_refused();
  const auto prepared = saslprep(password);
  if (!prepared) return prepared.failure();
  const auto salted = argon2id(*prepared, salt, cost, kHashSize);
  if (!salted) return no_memory(cost);
  // Clients of the older "scram" take the password as it is.
  const auto salted_raw =
      *prepared == password ? salted : argon2id(password, salt, cost, kHashSize);
  if (!salted_raw) return no_memory(cost);
  ScramKeys scram;
  scram.argon2 = cost;
  scram.salt = salt;
  scram.keys = scram_key_pair(*salted);
  scram.crossbar = scram_key_pair(crossbar_salted_password(*salted_raw));
  return Credential{std::move(scram)};
}

Result<Credential> make_scram_pbkdf2(std::string_view password, std::uint32_t iterations,
                                     std::string_view salt) {
  if (auto refused = password_refused(password)) return *std::move(refused);
  if (!iterations_allowed(iterations)) return iterations_refused();
  const auto prepared = saslprep(password);
  if (!prepared) return prepared.failure();
  ScramKeys scram;
  scram.pbkdf2_iterations = iterations;
  scram.salt = salt;
  scram.keys = scram_key_pair(pbkdf2_sha256(*prepared, salt, iterations, kHashSize));
  return Credential{std::move(scram)};
}

}  // namespace ringcast::auth
