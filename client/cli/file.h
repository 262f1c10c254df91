// Whole files, read and written. Stateless; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "client/failure.h"

namespace ringcast::cli {

// At most `size_max` bytes; "-" is standard input. What is larger is refused.
std::variant<std::string, client::Failure> read_file(const std::string& path, std::size_t size_max);

// Creates `path`, which must not exist, with mode 0600.
std::variant<std::monostate, client::Failure> write_private_file(const std::string& path,
                                                                 const std::string& content);

// "cannot read NAME: why", of kind input.
client::Failure unreadable(const std::string& name, const std::string& why, std::string remedy);

}  // namespace ringcast::cli
