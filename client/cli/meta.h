// `ringcast-cli meta`: who is there and what is served, by the WAMP meta API.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_meta(CLI::App& app);

}  // namespace ringcast::cli
