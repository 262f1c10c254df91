#include "client/cli/genhash.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "auth/credential.h"
#include "auth/encoding.h"
#include "client/cli/exit_code.h"
#include "client/cli/results.h"
#include "client/cli/secret.h"

namespace ringcast::cli {
namespace {

using client::Failure;

constexpr std::size_t kSaltSize = 16;  // bytes

struct HashOptions {
  std::string method = "argon2id";
  std::uint32_t iterations = 0;  // 0: what auth/credential.h has for the method
  std::uint32_t memory_kib = auth::kArgon2CostDefault.memory_kib;
};

auth::Result<auth::Credential> make(const HashOptions& options, const std::string& password) {
  const std::string salt = auth::random_bytes(kSaltSize);
  const auto iterations = [&](std::uint32_t otherwise) {
    return options.iterations == 0 ? otherwise : options.iterations;
  };
  const auth::Argon2Cost cost{options.memory_kib, iterations(auth::kArgon2CostDefault.iterations),
                              auth::kArgon2CostDefault.lanes};
  if (options.method == "plain") return auth::make_plain(password);
  if (options.method == "wampcra") {
    return auth::make_cra_key(password, iterations(auth::kCraIterationsDefault),
                              auth::to_base64(salt, auth::Base64::standard));
  }
  if (options.method == "pbkdf2")
    return auth::make_pbkdf2(password, iterations(auth::kPbkdf2IterationsDefault), salt);
  if (options.method == "scram-pbkdf2")
    return auth::make_scram_pbkdf2(password, iterations(auth::kPbkdf2IterationsDefault), salt);
  if (options.method == "scram-argon2id") return auth::make_scram_argon2id(password, cost, salt);
  return auth::make_argon2id(password, cost, salt);
}

int run_genhash(const HashOptions& options) {
  const auto password = read_new_password();
  if (const auto* failure = std::get_if<Failure>(&password)) return report(*failure);
  const auto credential = make(options, std::get<std::string>(password));
  if (!credential) {
    return report({Failure::Kind::input, "no hash: " + credential.failure().cause,
                   credential.failure().remedy});
  }
  return write_output(auth::to_text(*credential) + "\n") ? kExitOk : kExitFailure;
}

const std::string kFooter =
    "Examples:\n"
    "  ringcast-cli genhash --method scram-argon2id\n"
    "  pwgen -s 32 1 | tee secret.txt | ringcast-cli genhash --method wampcra\n\n"
    "Asks for the password on the terminal, twice and without echo, or reads it from standard "
    "input.\n"
    "The method decides how the principal can log in: argon2id and pbkdf2 by ticket; wampcra by "
    "wampcra and\n"
    "ticket; scram-argon2id and scram-pbkdf2 by wamp-scram, scram and ticket; plain by wampcra and "
    "ticket. Who\n"
    "reads a wampcra or plain text can log in with it, so keep those as secret as a password.\n";

}  // namespace

Command add_genhash(CLI::App& app) {
  const auto options = std::make_shared<HashOptions>();
  CLI::App* command =
      app.add_subcommand("genhash", "make what a configuration keeps instead of a password");
  command->footer(kFooter);
  command->add_option("--method", options->method, "how it is hashed")
      ->capture_default_str()
      ->check(CLI::IsMember(
          {"argon2id", "pbkdf2", "wampcra", "scram-argon2id", "scram-pbkdf2", "plain"}));
  command
      ->add_option("--iterations", options->iterations,
                   "of the hash; more make guessing, and logging in, slower")
      ->check(CLI::Range(1u, auth::kPbkdf2IterationsMax));
  command->add_option("--memory-kib", options->memory_kib, "that argon2id takes")
      ->capture_default_str()
      ->check(CLI::Range(8u, auth::kArgon2MemoryMaxKib));
  return {command, [options] { return run_genhash(*options); }};
}

}  // namespace ringcast::cli
