// Where the text of the configuration file comes from. The supervisor reads the file once and keeps
// what it read in a sealed memory file that every worker process inherits: a worker that is started
// again after the file has changed still has the realms, and their numbers, that its peers have.
// Main thread only.
#pragma once

#include <string>

#include "auth/result.h"

namespace ringcast::broker {

// The content of a file; fails if it can't be read or is larger than kConfigFileSizeMax.
auth::Result<std::string> read_text_file(const std::string& path);

// A memory file with this content that nobody can change any more; the caller closes it.
auth::Result<int> seal_text(const std::string& text);

// What seal_text() was given. REQUIRES: `fd` is what it returned, perhaps in another process.
auth::Result<std::string> read_sealed_text(int fd);

}  // namespace ringcast::broker
