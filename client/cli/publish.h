// `ringcast-cli publish`: one message, or a stream of records, into topics.
#pragma once

#include "client/cli/command.h"

namespace ringcast::cli {

Command add_publish(CLI::App& app);

}  // namespace ringcast::cli
