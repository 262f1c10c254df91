// `ringcast-cli genhash`: the text that a configuration keeps of a password (auth/credential.h).
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_genhash(CLI::App& app);

}  // namespace ringcast::cli
