#include "worker/jwt_keys.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "auth/crypto.h"

namespace ringcast::worker {
namespace {

// The content of a file of keys.
auth::Result<std::string> read_document(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return auth::Failure{"cannot read the keys in " + path + ": " + std::strerror(errno),
                         "give a file that this user may read"};
  }
  std::string text(auth::kKeyDocumentSizeMax + 1, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = read(fd, text.data() + size, text.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  } while (got > 0 || (got < 0 && errno == EINTR));
  const int error = errno;
  close(fd);
  if (got < 0) {
    return auth::Failure{"cannot read the keys in " + path + ": " + std::strerror(error),
                         "give a regular file"};
  }
  if (size > auth::kKeyDocumentSizeMax) {
    return auth::Failure{path + " is larger than " + std::to_string(auth::kKeyDocumentSizeMax) +
                             " bytes, which keys are not",
                         {}};
  }
  text.resize(size);
  return text;
}

}  // namespace

auth::Result<std::shared_ptr<const JwtKeySet>> read_jwt_keys(
    const JwtSource& source, const std::shared_ptr<const JwtKeySet>& before) {
  std::vector<std::string> paths = source.key_files;
  if (!source.jwks_file.empty()) paths.push_back(source.jwks_file);
  std::vector<std::string> documents;
  std::string digests;
  for (const std::string& path : paths) {
    auto document = read_document(path);
    if (!document) return document.failure();
    digests += auth::view(auth::sha256(*document));
    documents.push_back(*std::move(document));
  }
  if (before && before->digest == digests) return before;
  auto set = std::make_shared<JwtKeySet>();
  set->digest = std::move(digests);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool jwks = i >= source.key_files.size();
    auto keys =
        jwks ? auth::jwt_keys_from_jwks(documents[i]) : auth::jwt_keys_from_pem(documents[i]);
    if (!keys) return auth::Failure{paths[i] + ": " + keys.failure().cause, keys.failure().remedy};
    for (auth::JwtKey& key : *keys) set->keys.push_back(std::move(key));
  }
  return std::shared_ptr<const JwtKeySet>(std::move(set));
}

}  // namespace ringcast::worker
