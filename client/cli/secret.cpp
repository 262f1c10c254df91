#include "client/cli/secret.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "auth/encoding.h"
#include "client/cli/file.h"

namespace ringcast::cli {
namespace {

using client::Failure;

// No echo on the terminal of standard input, for as long as this lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  bool changed() const { return changed_; }

 private:
  termios before_{};
  bool changed_ = false;
};

// A line of the terminal, without its newline; nothing at the end of input.
std::optional<std::string> ask(const char* prompt) {
  fmt::print(stderr, "{}", prompt);
  std::string line;
  char c = 0;
  ssize_t size = 0;
  while ((size = ::read(STDIN_FILENO, &c, 1)) != 0) {
    if (size < 0 && errno != EINTR) break;
    if (size < 0) continue;
    if (c == '\n') break;
    line += c;
    if (line.size() > kSecretSizeMax) break;
  }
  fmt::print(stderr, "\n");
  if (size <= 0) return std::nullopt;
  return line;
}

std::string without_newline(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

std::optional<auth::Bytes32> ed25519_seed_of_pem(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  auth::Bytes32 seed;
  std::size_t size = seed.size();
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(key.get(), reinterpret_cast<unsigned char*>(seed.data()),
                                   &size) != 1 ||
      size != seed.size())
    return std::nullopt;
  return seed;
}

}  // namespace

std::variant<std::string, Failure> read_secret_file(const std::string& path) {
  struct stat status {};
  if (path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
      (status.st_mode & 077) != 0) {
    fmt::print(stderr, "ringcast-cli: warning: others may read {}: chmod 600 it\n", path);
  }
  return read_file(path, kSecretSizeMax);
}

std::variant<std::string, Failure> read_secret_line(const std::string& path) {
  auto content = read_secret_file(path);
  if (std::holds_alternative<Failure>(content)) return content;
  std::string secret = without_newline(std::get<std::string>(std::move(content)));
  if (secret.empty()) return unreadable(path, "it is empty", "write the secret into it");
  return secret;
}

std::variant<std::string, Failure> read_new_password() {
  if (::isatty(STDIN_FILENO) == 0) return read_secret_line("-");
  const NoEcho no_echo;
  if (!no_echo.changed())
    return unreadable("the password", "the terminal's echo cannot be turned off",
                      "give it on standard input");
  const auto first = ask("Password: ");
  const auto second = first ? ask("Again: ") : std::nullopt;
  if (!first || !second || first->empty())
    return unreadable("the password", "none was given", "type it, or give it on standard input");
  if (*first != *second)
    return Failure{Failure::Kind::input, "the two passwords differ", "try again"};
  return *first;
}

std::variant<auth::Bytes32, Failure> read_cryptosign_key(const std::string& path) {
  auto content = read_secret_file(path);
  if (auto* failure = std::get_if<Failure>(&content)) return std::move(*failure);
  const std::string text = without_newline(std::get<std::string>(std::move(content)));
  if (const auto seed = ed25519_seed_of_pem(text)) return *seed;
  const auto bytes = auth::from_hex(text);
  if (const auto seed = bytes ? auth::bytes32(*bytes) : std::nullopt) return *seed;
  return unreadable(path, "it is no Ed25519 private key",
                    "give one in PEM, as `ringcast-cli genkey cryptosign` writes it, or its 32 "
                    "bytes in hex");
}

}  // namespace ringcast::cli
