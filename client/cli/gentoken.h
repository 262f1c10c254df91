// `ringcast-cli gentoken`: a JSON Web Token that logs in as a ticket (auth/jwt.h).
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_gentoken(CLI::App& app);

}  // namespace ringcast::cli
