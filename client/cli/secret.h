// Secrets come from files, standard input or the terminal, never from the command line or the
// environment: those can be read by every process of the machine, or by every child, and end up in
// shell histories and logs.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "auth/crypto.h"
#include "client/failure.h"

namespace ringcast::cli {

inline constexpr std::size_t kSecretSizeMax = 64 * 1024;  // bytes of a file

// The whole of a file, at most kSecretSizeMax; "-" is standard input. Warns on standard error about
// a file that others may read.
std::variant<std::string, client::Failure> read_secret_file(const std::string& path);

// The same without the newline at its end; not empty.
std::variant<std::string, client::Failure> read_secret_line(const std::string& path);

// Asks on the terminal without echo, twice; if standard input is no terminal, reads it to its end.
std::variant<std::string, client::Failure> read_new_password();

// An Ed25519 private key for cryptosign: PEM as `genkey` and OpenSSL write it, or 64 hex digits.
std::variant<auth::Bytes32, client::Failure> read_cryptosign_key(const std::string& path);

}  // namespace ringcast::cli
