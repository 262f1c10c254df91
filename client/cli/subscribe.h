// `ringcast-cli subscribe`: prints the events of one or more topics.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_subscribe(CLI::App& app);

}  // namespace ringcast::cli
