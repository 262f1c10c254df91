// `ringcast-cli genkey`: key pairs for cryptosign and for JSON Web Tokens.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_genkey(CLI::App& app);

}  // namespace ringcast::cli
