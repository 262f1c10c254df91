#include "client/cli/subscribe.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/cli/connect_options.h"
#include "client/cli/event_format.h"
#include "client/cli/exit_code.h"
#include "client/cli/match.h"
#include "client/cli/words.h"
#include "client/session.h"

namespace ringcast::cli {
namespace {

namespace asio = boost::asio;
using client::Failure;
using client::Session;

struct SubscribeOptions {
  ConnectOptions connect;
  std::vector<std::string> topics;
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  OutputStyle output = OutputStyle::pretty;
  std::size_t count = 0;  // events to wait for; 0: no limit
  double timeout_s = 0;   // 0: none
};

class Subscriber {
 public:
  Subscriber(const SubscribeOptions& options, Session::Options session_options)
      : options_(options),
        timeout_(context_),
        signals_(context_, SIGINT, SIGTERM),
        session_(context_, std::move(session_options),
                 {[this](std::uint64_t) { subscribe(); }, nullptr,
                  [this](const std::optional<Failure>& failure) { closed(failure); }}) {}

  int run() {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that had enough is seen by write()
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) session_.close();
    });
    if (options_.timeout_s > 0) {
      timeout_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(options_.timeout_s)));
      timeout_.async_wait([this](boost::system::error_code error) {
        if (!error) timed_out();
      });
    }
    session_.open();
    context_.run();
    return failure_ ? report(*failure_) : kExitOk;
  }

 private:
  void subscribe() {
    const std::set<std::string> topics(options_.topics.begin(), options_.topics.end());
    for (const std::string& topic : topics) {
      session_.subscribe(
          topic, {options_.match}, [this](const Session::Event& event) { print(event); },
          [this, topic](const Session::IdOrFailure& result) {
            if (const auto* failure = std::get_if<Failure>(&result))
              return refused(topic, *failure);
            fmt::print(stderr, "subscribed {} {}\n", topic, std::get<std::uint64_t>(result));
          });
    }
  }

  void refused(const std::string& topic, Failure failure) {
    if (failure.kind == Failure::Kind::refused) {
      failure.cause =
          fmt::format("the broker refused the subscription to '{}': {}", topic, failure.cause);
    }
    end(std::move(failure));
  }

  void print(const Session::Event& event) {
    if (ended_) return;
    const auto decoded = decode(session_.serializer(), event.payload);
    if (const auto* failure = std::get_if<Failure>(&decoded)) return end(*failure);
    append_event(output_, options_.output,
                 {event.topic, event.publication, std::get<Publication>(decoded),
                  std::chrono::system_clock::now()});
    // What arrived in one read is written in one go: the post runs after all of it.
    if (++received_ == options_.count) return end(std::nullopt);
    if (std::exchange(flush_posted_, true)) return;
    asio::post(context_, [this] {
      flush_posted_ = false;
      flush();
    });
  }

  void flush() {
    std::string_view rest = output_;
    while (!rest.empty()) {
      const ssize_t size = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (size > 0) {
        rest.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EPIPE) {
        end_quietly();  // `| head` has what it wanted
        break;
      } else if (errno != EINTR && errno != EAGAIN) {
        end(Failure{Failure::Kind::network,
                    fmt::format("cannot write to standard output: {}", std::strerror(errno)),
                    "check the disk or program it goes to"});
        break;
      }
    }
    output_.clear();
  }

  void timed_out() {
    if (options_.count == 0) return end(std::nullopt);
    end(Failure{Failure::Kind::timeout,
                fmt::format("received {} of {} events within {} s", received_, options_.count,
                            options_.timeout_s),
                "check that something publishes to the topic, or give a longer --timeout"});
  }

  void end(std::optional<Failure> failure) {
    if (!ended_ && failure) failure_ = std::move(failure);
    end_quietly();
  }

  void end_quietly() {
    ended_ = true;
    session_.close();
  }

  void closed(const std::optional<Failure>& failure) {
    ended_ = true;
    if (failure && !failure_) failure_ = failure;
    flush();
    context_.stop();
  }

  const SubscribeOptions& options_;
  asio::io_context context_;
  asio::steady_timer timeout_;
  asio::signal_set signals_;
  std::string output_;  // what is not yet written
  std::size_t received_ = 0;
  std::optional<Failure> failure_;
  bool flush_posted_ = false;
  bool ended_ = false;
  Session session_;
};

// Runs until count, timeout or a signal ends it, or something fails.
int run_subscribe(const SubscribeOptions& options) {
  auto session_options = options.connect.session_options();
  if (const auto* failure = std::get_if<Failure>(&session_options)) return report(*failure);
  Subscriber subscriber(options, std::move(std::get<Session::Options>(session_options)));
  return subscriber.run();
}

const std::string kSubscribeFooter =
    std::string(
        "Examples:\n"
        "  ringcast-cli subscribe greetings\n"
        "  ringcast-cli subscribe stocks.ACME stocks.INIT --output json | jq .kwargs.price\n"
        "  ringcast-cli subscribe jobs.done --count 1 --timeout 60\n\n"
        "Writes 'subscribed TOPIC ID' to standard error once the broker has confirmed, events to "
        "standard\n"
        "output. Ctrl-C leaves with exit code 0. With --count, running into --timeout is exit code "
        "1.\n\n") +
    kExitCodesHelp;

const std::map<std::string, OutputStyle> kStyles = {
    {"pretty", OutputStyle::pretty}, {"raw", OutputStyle::raw}, {"json", OutputStyle::json}};

}  // namespace

Command add_subscribe(CLI::App& app) {
  const auto options = std::make_shared<SubscribeOptions>();
  CLI::App* command = app.add_subcommand("subscribe", "print the events of topics");
  command->footer(kSubscribeFooter);
  options->connect.add_to(*command);
  typed(command->add_option("TOPIC", options->topics, "the topics, or patterns of topics"))
      ->required();
  add_match_option(*command, options->match);
  command->add_option("--count", options->count, "leave after this many events");
  command->add_option("--timeout", options->timeout_s, "leave after this many seconds")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option_function<std::string>(
          "--output", [options](const std::string& name) { options->output = kStyles.at(name); },
          "pretty (for people), json (one object per line) or raw (just the arguments)")
      ->type_name("STYLE")
      ->check(CLI::IsMember({"pretty", "json", "raw"}));
  return {command, [options] { return run_subscribe(*options); }};
}

}  // namespace ringcast::cli
