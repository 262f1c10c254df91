#include "auth/decoy.h"

#include <cstddef>
#include <string>
#include <utility>

#include "auth/encoding.h"

namespace ringcast::auth {
namespace {

// Bytes that nobody can tell from random ones without the node's key.
class Source {
 public:
  Source(const Bytes32& node_key, std::string_view realm, std::string_view authid) {
    // The size keeps ("a", "bc") and ("ab", "c") apart.
    std::string seed = std::to_string(realm.size());
    seed.append(":").append(realm).append(authid);
    key_ = hmac_sha256(view(node_key), seed);
  }

  std::string bytes(std::string_view purpose, std::size_t size) const {
    std::string out;
    for (int i = 0; out.size() < size; ++i)
      out.append(view(hmac_sha256(view(key_), std::string(purpose) + std::to_string(i))));
    out.resize(size);
    return out;
  }
  ScramKeyPair key_pair(std::string_view purpose) const {
    const std::string keys = bytes(purpose, 64);
    return {*bytes32(std::string_view(keys).substr(0, 32)),
            *bytes32(std::string_view(keys).substr(32))};
  }

 private:
  Bytes32 key_;
};

struct Imitate {
  const Source& source;

  std::string salt(const std::string& like) const { return source.bytes("salt", like.size()); }
  std::string secret(const std::string& like) const { return source.bytes("secret", like.size()); }

  Credential operator()(const PlainSecret&) const {
    return PlainSecret{source.bytes("secret", 32)};
  }
  Credential operator()(const Argon2idHash& like) const {
    return Argon2idHash{like.cost, salt(like.salt), secret(like.hash)};
  }
  Credential operator()(const Pbkdf2Hash& like) const {
    return Pbkdf2Hash{like.iterations, salt(like.salt), secret(like.hash)};
  }
  Credential operator()(const CraKey& like) const {
    // A salt that is base64, as genhash makes them, is imitated as such: each text of one size is
    // as likely as among real ones.
    const auto octets = from_base64(like.salt, Base64::standard);
    std::string text = to_base64(salt(octets ? *octets : like.salt), Base64::standard);
    text.resize(like.salt.size());
    return CraKey{like.iterations, std::move(text), secret(like.key)};
  }
  Credential operator()(const ScramKeys& like) const {
    ScramKeys decoy = like;
    decoy.salt = salt(like.salt);
    decoy.keys = source.key_pair("keys");
    if (like.crossbar) decoy.crossbar = source.key_pair("crossbar");
    return decoy;
  }
};

}  // namespace

Credential decoy_credential(const Bytes32& node_key, std::string_view realm,
                            std::string_view authid, const Credential& like) {
  const Source source(node_key, realm, authid);
  return std::visit(Imitate{source}, like);
}

}  // namespace ringcast::auth
