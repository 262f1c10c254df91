// `ringcast-cli register`: a procedure that is served by running a command per invocation.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_register(CLI::App& app);

}  // namespace ringcast::cli
