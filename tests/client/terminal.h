// Runs a program whose standard error is a terminal, and keeps what it wrote there.
#pragma once

#include <string>
#include <vector>

#include "tests/client/program.h"

namespace ringcast::test {

// A pseudo-terminal of `columns`; standard output goes the same way, into Outcome::err too.
Outcome run_on_terminal(const std::string& path, const std::vector<std::string>& args,
                        unsigned short columns);

}  // namespace ringcast::test
