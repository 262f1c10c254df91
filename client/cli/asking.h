// A session for commands that ask a broker one thing after the other and wait for each answer.
// Owns its io_context and runs it only within its calls; one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/cli/values.h"
#include "client/failure.h"
#include "client/session.h"

namespace ringcast::cli {

class Asking {
 public:
  // An ERROR that answered a call.
  struct Refusal {
    std::string uri;
    Publication content;
  };
  using Answer = std::variant<Publication, Refusal, client::Failure>;

  // Waits until the session is open.
  static std::variant<std::unique_ptr<Asking>, client::Failure> open(
      client::Session::Options options);

  // Calls `procedure` once with each payload, kWindow at a time; the answers in the same order.
  // Gives up after kPatience without any.
  std::vector<Answer> ask_each(std::string_view procedure,
                               const std::vector<Publication>& payloads);
  Answer ask(std::string_view procedure, const Publication& payload);

  // Says goodbye and waits for the answer.
  void close();

 private:
  static constexpr std::size_t kWindow = 64;
  static constexpr std::chrono::seconds kPatience{30};

  explicit Asking(client::Session::Options options);
  Answer answer_of(const client::Session::Answer& answer) const;
  void run_until(const std::function<bool()>& done);

  boost::asio::io_context context_;
  std::optional<client::Failure> failure_;  // why it ended, once it has
  bool open_ = false;
  bool ended_ = false;
  client::Session session_;
};

}  // namespace ringcast::cli
