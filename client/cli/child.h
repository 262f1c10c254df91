// One run of a command: its input written, its output collected, its end awaited, all without
// blocking. Never a shell: the words are passed as they are.
//
// The child leads a session and process group of its own, so that no terminal and no signal meant
// for us reaches it, and all that it starts can be ended with it. It inherits the environment, the
// directory and the three pipes; no other descriptor, no signal disposition. If we die, it is
// killed.
//
// Belongs to one io_context that one thread runs; every call and the handler are on that thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ringcast::cli {

struct ChildResult {
  int start_error = 0;  // errno of the attempt to start it; 0: it ran
  int wait_status = 0;  // as from waitpid()
  std::string output;   // standard output, at most output_bytes_max
  std::string errors;   // the last kErrorTailBytes of standard error
  bool output_too_large = false;
};

class Child {
 public:
  static constexpr std::size_t kErrorTailBytes = 2048;
  // From the request to end to the order to.
  static constexpr int kKillGraceMs = 2000;

  using OnEnd = std::function<void(ChildResult)>;

  // `path` is a program's path and words[0] its name. on_end is called exactly once, never from
  // within start(), unless the object is destroyed first.
  Child(boost::asio::io_context& context, std::size_t output_bytes_max, OnEnd on_end);
  ~Child();  // kills what still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void start(const std::string& path, const std::vector<std::string>& words, std::string input);

  // SIGTERM to the group, and SIGKILL if it has not ended kKillGraceMs later.
  void end();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// Where a command is, by PATH unless it has a slash; nothing if there is no such program.
std::optional<std::string> find_program(const std::string& name);

// Standard streams that whoever started us has closed become /dev/null, so that no other
// descriptor gets their numbers.
void ensure_standard_streams();

}  // namespace ringcast::cli
