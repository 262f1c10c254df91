// The keys that verify a realm's tokens: read from files when a worker starts, and again when these
// have changed. Files are read by whoever calls read(): but for the start, a background thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/jwt_key.h"
#include "auth/result.h"
#include "worker/realm.h"

namespace ringcast::worker {

// Immutable; any thread.
struct JwtKeySet {
  std::vector<auth::JwtKey> keys;
  std::string digest;  // of the files they came from
};

// Fails if a file can't be read, is too large or has no valid key; the failure names the file. If
// the files are those of `before`, that is returned again. `before` may be null.
auth::Result<std::shared_ptr<const JwtKeySet>> read_jwt_keys(
    const JwtSource& source, const std::shared_ptr<const JwtKeySet>& before);

}  // namespace ringcast::worker
