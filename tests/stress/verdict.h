// How a check ends: by a Verdict, thrown from wherever the broker is caught at a fault.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace ringcast::stress {

enum class Exit : int {
  passed = 0,
  failed = 1,        // a promise of the broker was broken; the text says which
  usage = 2,         // the command line
  not_started = 3,   // the broker did not come up
  misdelivered = 4,  // a frame reached somebody it was not meant for
};

class Verdict : public std::runtime_error {
 public:
  Verdict(Exit exit, const std::string& text) : std::runtime_error(text), exit_(exit) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Verdict(Exit::failed, fmt::format(text, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void misdelivered(fmt::format_string<Args...> text, Args&&... args) {
  throw Verdict(Exit::misdelivered, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace ringcast::stress
