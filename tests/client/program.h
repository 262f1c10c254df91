// Runs a program as a user would and keeps what it wrote.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ringcast::test {

struct Outcome {
  int exit_code = -1;  // 128 + signal if a signal ended it
  std::string out;
  std::string err;
};

class Program {
 public:
  // Starts it with `input` as its standard input, which ends there unless `keep_open`.
  Program(const std::string& path, const std::vector<std::string>& args,
          const std::string& input = "", bool keep_open = false);
  ~Program();  // kills it if it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void write(const std::string& more);
  void end_input();
  void signal(int number);
  // Waits until it has written `text` to standard error; false if it ended without.
  bool wait_for_error_text(const std::string& text);
  Outcome wait();

 private:
  bool read_some();  // false once both outputs have ended

  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  Outcome outcome_;
};

Outcome run_program(const std::string& path, const std::vector<std::string>& args,
                    const std::string& input = "");

}  // namespace ringcast::test
