// The records that `publish` sends, from a file, a pipe or a terminal, without ever blocking the
// session's thread on a pipe: a reader asks for the next record and, if none is there yet, to be
// told when.
//
// Belongs to the session's io_context and its thread.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "client/cli/records.h"

namespace ringcast::cli {

struct InputEnd {};
struct InputLater {};  // nothing yet: call wait()

class Input {
 public:
  using Next = std::variant<Publication, InputEnd, InputLater, client::Failure>;

  // `path` "-" is standard input. Without a format the file's ending decides.
  static std::variant<std::unique_ptr<Input>, client::Failure> open(
      boost::asio::io_context& context, const std::string& path, std::optional<InputFormat> format);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  Next next();

  // Calls back once when next() is worth asking again. Not while another wait is pending.
  void wait(std::function<void()> on_ready);

  std::size_t records() const { return records_; }  // handed out so far

 private:
  Input(boost::asio::io_context& context, int fd, bool regular, std::string name,
        std::unique_ptr<RecordParser> parser);

  // Feeds the parser from a regular file, which never makes anybody wait long.
  std::optional<client::Failure> read_file();
  client::Failure unreadable(const std::string& why) const;

  std::string name_;
  std::unique_ptr<RecordParser> parser_;
  boost::asio::posix::stream_descriptor pipe_;  // open exactly if the input is no regular file
  int file_ = -1;                               // -1 exactly if the input is no regular file
  std::array<char, 64 * 1024> buffer_;
  std::optional<client::Failure> failure_;
  std::size_t records_ = 0;
  bool ended_ = false;
};

}  // namespace ringcast::cli
