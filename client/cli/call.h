// `ringcast-cli call`: one call, its results as JSON on standard output.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_call(CLI::App& app);

}  // namespace ringcast::cli
