// Credentials from text and back. What text may say is checked here; the rest may rely on it.

#include <cstddef>
#include <utility>

#include "auth/credential.h"
#include "auth/phc.h"
#include "auth/saslprep.h"

namespace ringcast::auth {
namespace {

constexpr std::uint32_t kArgon2Version = 19;  // 1.3
constexpr std::string_view kArgon2id = "argon2id";
constexpr std::string_view kPbkdf2 = "pbkdf2-sha256";
constexpr std::string_view kCra = "wampcra";
constexpr std::string_view kScramArgon2id = "scram-argon2id";
constexpr std::string_view kScramPbkdf2 = "scram-pbkdf2-sha256";
constexpr std::string_view kPlain = "plain";

Failure not_a_credential(std::string_view what) {
  return {std::string("not a hashed secret: ").append(what),
          "make one with ringcast-cli genhash, and copy it whole"};
}

bool size_within(const std::string& bytes, std::size_t min, std::size_t max) {
  return bytes.size() >= min && bytes.size() <= max;
}
bool salt_fits(const std::string& salt) { return size_within(salt, 8, 64); }
bool hash_fits(const std::string& hash) { return size_within(hash, 16, 64); }
bool iterations_fit(std::uint32_t n) { return n >= 1 && n <= kPbkdf2IterationsMax; }

std::optional<Argon2Cost> argon2_cost_of(const Phc& phc) {
  const auto values = phc.values({"m", "t", "p"});
  if (!values || phc.version != kArgon2Version) return std::nullopt;
  const Argon2Cost cost{(*values)[0], (*values)[1], (*values)[2]};
  if (!argon2_cost_allowed(cost)) return std::nullopt;
  return cost;
}

std::optional<std::uint32_t> iterations_of(const Phc& phc,
                                           std::initializer_list<std::string_view> names) {
  const auto values = phc.values(names);
  if (!values || phc.version || !iterations_fit(values->front())) return std::nullopt;
  // A second parameter is the length of what was derived, which has to be there.
  if (values->size() == 2 && (phc.fields.size() != 2 || phc.fields[1].size() != values->back()))
    return std::nullopt;
  return values->front();
}

// `keys` has 64 bytes at `at`.
ScramKeyPair key_pair_at(std::string_view keys, std::size_t at) {
  return {*bytes32(keys.substr(at, 32)), *bytes32(keys.substr(at + 32, 32))};
}

Result<Credential> parse_argon2id(Phc& phc) {
  const auto cost = argon2_cost_of(phc);
  if (!cost) return not_a_credential("argon2id needs v=19, m, t and p, within their limits");
  if (phc.fields.size() != 2 || !salt_fits(phc.fields[0]) || !hash_fits(phc.fields[1]))
    return not_a_credential("argon2id needs a salt of 8 to 64 bytes and a hash of 16 to 64");
  return Credential{Argon2idHash{*cost, std::move(phc.fields[0]), std::move(phc.fields[1])}};
}

Result<Credential> parse_pbkdf2(Phc& phc) {
  const auto iterations = iterations_of(phc, {"i", "l"});
  if (!iterations) return not_a_credential("pbkdf2-sha256 needs i and l, within their limits");
  if (phc.fields.size() != 2 || !salt_fits(phc.fields[0]) || !hash_fits(phc.fields[1]))
    return not_a_credential("pbkdf2-sha256 needs a salt of 8 to 64 bytes and a hash of 16 to 64");
  return Credential{Pbkdf2Hash{*iterations, std::move(phc.fields[0]), std::move(phc.fields[1])}};
}

Result<Credential> parse_cra(Phc& phc) {
  const auto iterations = iterations_of(phc, {"i", "l"});
  if (!iterations) return not_a_credential("wampcra needs i and l, within their limits");
  if (phc.fields.size() != 2 || !size_within(phc.fields[0], 1, 64) || !hash_fits(phc.fields[1]) ||
      phc.fields[1].size() % 4 != 0) {
    return not_a_credential(
        "wampcra needs a salt of 1 to 64 bytes and a key of 16 to 64, in steps of 4");
  }
  // It is shown to clients as text: SASLprep knows what is no text.
  if (!saslprep(phc.fields[0])) return not_a_credential("the salt of wampcra has to be UTF-8 text");
  return Credential{CraKey{*iterations, std::move(phc.fields[0]), std::move(phc.fields[1])}};
}

Result<Credential> parse_scram(Phc& phc, bool argon2) {
  ScramKeys scram;
  if (argon2) {
    scram.argon2 = argon2_cost_of(phc);
    if (!scram.argon2 || scram.argon2->lanes != 1)
      return not_a_credential("scram-argon2id needs v=19, m, t and p=1, within their limits");
  } else {
    const auto iterations = iterations_of(phc, {"i"});
    if (!iterations) return not_a_credential("scram-pbkdf2-sha256 needs i, within its limits");
    scram.pbkdf2_iterations = *iterations;
  }
  if (phc.fields.size() != 2 || !salt_fits(phc.fields[0]))
    return not_a_credential("SCRAM needs a salt of 8 to 64 bytes and its keys");
  const std::string& keys = phc.fields[1];
  const bool both = argon2 && keys.size() == 128;
  if (keys.size() != 64 && !both)
    return not_a_credential("the keys of SCRAM have 64 bytes, or with argon2id 128");
  scram.keys = key_pair_at(keys, 0);
  if (both) scram.crossbar = key_pair_at(keys, 64);
  scram.salt = std::move(phc.fields[0]);
  return Credential{std::move(scram)};
}

Result<Credential> parse_plain(Phc& phc) {
  if (phc.version || !phc.parameters.empty() || phc.fields.size() != 1)
    return not_a_credential("plain takes nothing but the secret in base64");
  return make_plain(phc.fields[0]);
}

std::string key_text(const ScramKeyPair& pair) {
  return std::string(view(pair.stored_key)).append(view(pair.server_key));
}

struct Format {
  std::string operator()(const PlainSecret& plain) const {
    return format_phc({kPlain, {}, {}, {plain.secret}});
  }
  std::string operator()(const Argon2idHash& hash) const {
    return format_phc({kArgon2id, kArgon2Version, parameters(hash.cost), {hash.salt, hash.hash}});
  }
  std::string operator()(const Pbkdf2Hash& hash) const {
    return format_phc(
        {kPbkdf2, {}, parameters(hash.iterations, hash.hash), {hash.salt, hash.hash}});
  }
  std::string operator()(const CraKey& cra) const {
    return format_phc({kCra, {}, parameters(cra.iterations, cra.key), {cra.salt, cra.key}});
  }
  std::string operator()(const ScramKeys& scram) const {
    std::string keys = key_text(scram.keys);
    if (scram.crossbar) keys += key_text(*scram.crossbar);
    if (!scram.argon2)
      return format_phc({kScramPbkdf2, {}, {{"i", scram.pbkdf2_iterations}}, {scram.salt, keys}});
    return format_phc(
        {kScramArgon2id, kArgon2Version, parameters(*scram.argon2), {scram.salt, keys}});
  }

  using Parameters = std::vector<std::pair<std::string_view, std::uint32_t>>;
  static Parameters parameters(const Argon2Cost& cost) {
    return {{"m", cost.memory_kib}, {"t", cost.iterations}, {"p", cost.lanes}};
  }
  static Parameters parameters(std::uint32_t iterations, const std::string& derived) {
    return {{"i", iterations}, {"l", static_cast<std::uint32_t>(derived.size())}};
  }
};

}  // namespace

Result<Credential> parse_credential(std::string_view text) {
  auto phc = parse_phc(text);
  if (!phc) return not_a_credential("it has not the form $id$parameters$salt$hash");
  if (phc->id == kArgon2id) return parse_argon2id(*phc);
  if (phc->id == kPbkdf2) return parse_pbkdf2(*phc);
  if (phc->id == kCra) return parse_cra(*phc);
  if (phc->id == kScramArgon2id) return parse_scram(*phc, true);
  if (phc->id == kScramPbkdf2) return parse_scram(*phc, false);
  if (phc->id == kPlain) return parse_plain(*phc);
  return not_a_credential(
      "its kind is none of argon2id, pbkdf2-sha256, wampcra, scram-argon2id, scram-pbkdf2-sha256, "
      "plain");
}

std::string to_text(const Credential& credential) { return std::visit(Format{}, credential); }

}  // namespace ringcast::auth
