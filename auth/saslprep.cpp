#include "auth/saslprep.h"

#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace ringcast::auth {
namespace {

struct FreeDelete {
  void operator()(char* text) const { std::free(text); }  // NOLINT(*-no-malloc): libidn mallocs
};

// What SASLprep leaves as it is, and nearly every password: nothing to look up in Unicode's tables.
bool printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

Result<std::string> saslprep(std::string_view text) {
  if (text.size() > kPasswordSizeMax)
    return Failure{"longer than " + std::to_string(kPasswordSizeMax) + " bytes", "shorten it"};
  if (printable_ascii(text)) return std::string(text);
  if (text.find('\0') != std::string_view::npos)
    return Failure{"contains a NUL byte", "leave out control characters"};
  char* prepared = nullptr;
  const std::string terminated(text);
  const int status =
      stringprep_profile(terminated.c_str(), &prepared, "SASLprep", Stringprep_profile_flags{});
  const std::unique_ptr<char, FreeDelete> owner(prepared);
  if (status != STRINGPREP_OK) {
    return Failure{std::string("not allowed by SASLprep: ") +
                       stringprep_strerror(static_cast<Stringprep_rc>(status)),
                   "leave out control characters, and use UTF-8"};
  }
  return std::string(prepared);
}

}  // namespace ringcast::auth
