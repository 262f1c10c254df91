// Rows of text in aligned columns, for people. Stateless; any thread.
#pragma once

#include <string>
#include <vector>

namespace ringcast::cli {

// The first row is the heading. Numbers stand on the right. Control characters, which a stranger
// may have put into what is shown, become '?'.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace ringcast::cli
