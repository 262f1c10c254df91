#include "client/cli/register.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/encoding.h"
#include "client/cli/child.h"
#include "client/cli/connect_options.h"
#include "client/cli/exit_code.h"
#include "client/cli/match.h"
#include "client/cli/values.h"
#include "client/cli/words.h"
#include "client/session.h"
#include "wire/uri.h"
#include "wire/utf8.h"

namespace ringcast::cli {
namespace {

namespace asio = boost::asio;
using client::Failure;
using client::Session;

// What an invocation is answered with where the command did not succeed.
constexpr std::string_view kCommandFailed = "ringcast.error.command_failed";
constexpr std::string_view kLimitExceeded = "ringcast.error.limit_exceeded";

// Invocations that wait for a free place, where a router does not keep to the concurrency that was
// announced; more are refused, so that the router can ask another callee.
constexpr std::size_t kWaitingMax = 1024;
constexpr std::size_t kWaitingBytesMax = 64 << 20;

struct RegisterOptions {
  ConnectOptions connect;
  std::string procedure;
  std::vector<std::string> command;
  std::size_t concurrency = 1;
  double timeout_s = 0;                             // 0: none
  std::size_t output_bytes_max = (1 << 20) - 4096;  // and of the result as it is encoded
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  wire::InvokePolicy invoke = wire::InvokePolicy::single;
};

// What the command reads: who called what with which arguments.
std::string input_of(const Session::Invocation& invocation, const Publication& content) {
  Json input;
  input["procedure"] = invocation.procedure;
  input["args"] = content.args.is_null() ? Json::array() : content.args;
  input["kwargs"] = content.kwargs.is_null() ? Json::object() : content.kwargs;
  if (invocation.details.caller != 0) input["caller"] = invocation.details.caller;
  if (!invocation.details.caller_authid.empty())
    input["caller_authid"] = invocation.details.caller_authid;
  if (!invocation.details.caller_authrole.empty())
    input["caller_authrole"] = invocation.details.caller_authrole;
  return input.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool is_utf8(std::string_view text) {
  wire::Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

// What the command wrote: JSON if it is JSON, else text without the newline at its end, else the
// bytes as they are, in the form that WAMP has for them in JSON.
Publication result_of(std::string output) {
  Publication result;
  if (output.empty()) return result;
  result.args = Json::array();
  Json value = Json::parse(output, nullptr, false);
  if (!value.is_discarded()) {
    result.args.push_back(std::move(value));
  } else if (is_utf8(output)) {
    if (output.back() == '\n') output.pop_back();
    result.args.push_back(std::move(output));
  } else {
    result.args.push_back(std::string(1, '\0') + auth::to_base64(output, auth::Base64::standard));
  }
  return result;
}

class Callee {
 public:
  Callee(const RegisterOptions& options, std::string path, Session::Options session_options)
      : options_(options),
        path_(std::move(path)),
        signals_(context_, SIGINT, SIGTERM),
        session_(context_, std::move(session_options),
                 {[this](std::uint64_t) { enroll(); }, nullptr,
                  [this](const std::optional<Failure>& failure) { closed(failure); }}) {}

  int run() {
    std::signal(SIGPIPE, SIG_IGN);  // a command need not read its input
    await_signal();
    session_.open();
    context_.run();
    runs_.clear();  // kills what still runs
    return failure_ ? report(*failure_) : kExitOk;
  }

 private:
  struct Run {
    std::unique_ptr<Child> child;
    std::unique_ptr<asio::steady_timer> timeout;
    std::string_view ended_for;  // the error's URI, once we have ended it; empty: we have not
    std::string procedure;
  };
  struct Waiting {
    std::uint64_t invocation;
    std::string procedure;
    std::string input;
    std::uint64_t timeout_ms;
  };

  void enroll() {
    wire::RegisterOptions register_options;
    register_options.match = options_.match;
    register_options.invoke = options_.invoke;
    register_options.concurrency = options_.concurrency;
    session_.register_procedure(
        options_.procedure, register_options,
        {[this](const Session::Invocation& invocation) { invoked(invocation); },
         [this](std::uint64_t invocation, std::string_view) { interrupted(invocation); },
         [this](std::string_view reason) {
           fail({Failure::Kind::closed,
                 fmt::format("the broker took the registration away: {}", reason),
                 "ask the broker's operator"});
         }},
        [this](const Session::IdOrFailure& result) {
          if (const auto* failure = std::get_if<Failure>(&result)) {
            Failure refused = *failure;
            if (refused.kind == Failure::Kind::refused) {
              refused.cause = fmt::format("the broker refused the registration of '{}': {}",
                                          options_.procedure, refused.cause);
            }
            return fail(std::move(refused));
          }
          registration_ = std::get<std::uint64_t>(result);
          fmt::print(stderr, "registered {} {}\n", options_.procedure, registration_);
        });
  }

  void invoked(const Session::Invocation& invocation) {
    const auto decoded = decode(session_.serializer(), invocation.payload);
    if (const auto* failure = std::get_if<Failure>(&decoded))
      return refuse(invocation.id, wire::uri::kInvalidArgument, failure->cause);
    Waiting next{invocation.id, std::string(invocation.procedure),
                 input_of(invocation, std::get<Publication>(decoded)),
                 invocation.details.timeout_ms};
    if (runs_.size() < options_.concurrency) return start(std::move(next));
    if (waiting_.size() >= kWaitingMax || waiting_bytes_ + next.input.size() > kWaitingBytesMax)
      return refuse(invocation.id, wire::uri::kUnavailable, "too many invocations are waiting");
    waiting_bytes_ += next.input.size();
    waiting_.push_back(std::move(next));
  }

  void start(Waiting next) {
    const std::uint64_t invocation = next.invocation;
    Run& run = runs_[invocation];
    run.procedure = std::move(next.procedure);
    run.child = std::make_unique<Child>(
        context_, options_.output_bytes_max,
        [this, invocation](ChildResult result) { finished(invocation, std::move(result)); });
    std::chrono::milliseconds limit(static_cast<std::int64_t>(options_.timeout_s * 1000));
    // What the router forwards counts too, up to a year.
    const std::chrono::milliseconds asked(
        static_cast<std::int64_t>(std::min<std::uint64_t>(next.timeout_ms, 31'536'000'000)));
    if (asked.count() != 0 && (limit.count() == 0 || asked < limit)) limit = asked;
    if (limit.count() != 0) {
      run.timeout = std::make_unique<asio::steady_timer>(context_, limit);
      run.timeout->async_wait([this, invocation](boost::system::error_code error) {
        if (!error) end(invocation, wire::uri::kTimeout);
      });
    }
    run.child->start(path_, options_.command, std::move(next.input));
  }

  void end(std::uint64_t invocation, std::string_view why) {
    const auto found = runs_.find(invocation);
    if (found == runs_.end() || !found->second.ended_for.empty()) return;
    found->second.ended_for = why;
    found->second.child->end();
  }

  void interrupted(std::uint64_t invocation) {
    const auto waits = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
      return waiting.invocation == invocation;
    });
    if (waits == waiting_.end()) return end(invocation, wire::uri::kCanceled);
    waiting_bytes_ -= waits->input.size();
    waiting_.erase(waits);
    refuse(invocation, wire::uri::kCanceled, "canceled before the command was started");
  }

  void finished(std::uint64_t invocation, ChildResult result) {
    const auto found = runs_.extract(invocation);
    const Run& run = found.mapped();
    if (!run.ended_for.empty()) {
      refuse(invocation, run.ended_for, "the command was ended");
    } else if (result.start_error != 0) {
      complain(run, invocation, kCommandFailed,
               fmt::format("the command cannot be run: {}", std::strerror(result.start_error)));
    } else if (result.output_too_large) {
      too_large(run, invocation);
    } else if (result.wait_status != 0) {
      command_failed(run, invocation, result);
    } else {
      succeed(run, invocation, std::move(result.output));
    }
    if (leaving_ && runs_.empty() && waiting_.empty()) return session_.close();
    if (waiting_.empty() || runs_.size() >= options_.concurrency) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.input.size();
    start(std::move(next));
  }

  void succeed(const Run& run, std::uint64_t invocation, std::string output) {
    const auto encoded = encode(session_.serializer(), result_of(std::move(output)));
    if (const auto* failure = std::get_if<Failure>(&encoded))
      return complain(run, invocation, kCommandFailed, failure->cause);
    // Too large a message would cost the whole session.
    const wire::Payload payload = std::get<EncodedPayload>(encoded).view();
    if (payload.args.size() > options_.output_bytes_max) return too_large(run, invocation);
    session_.yield(invocation, {}, payload);
  }

  void too_large(const Run& run, std::uint64_t invocation) {
    complain(
        run, invocation, kLimitExceeded,
        fmt::format("the command's result is larger than {} bytes", options_.output_bytes_max));
  }

  void command_failed(const Run& run, std::uint64_t invocation, const ChildResult& result) {
    const bool signaled = WIFSIGNALED(result.wait_status);
    const int number = signaled ? WTERMSIG(result.wait_status) : WEXITSTATUS(result.wait_status);
    std::string tail = result.errors;
    while (!tail.empty() && tail.back() == '\n') tail.pop_back();
    const std::string how =
        fmt::format("the command ended with {} {}", signaled ? "signal" : "exit status", number);
    Publication details;
    details.args = Json::array({tail.empty() ? how : tail});
    details.kwargs = Json::object({{signaled ? "signal" : "exit_status", number}});
    answer_error(invocation, kCommandFailed, details);
    fmt::print(stderr, "ringcast-cli: {}: {}\n", run.procedure, how);
  }

  void complain(const Run& run, std::uint64_t invocation, std::string_view uri,
                const std::string& text) {
    fmt::print(stderr, "ringcast-cli: {}: {}\n", run.procedure, text);
    refuse(invocation, uri, text);
  }

  void refuse(std::uint64_t invocation, std::string_view uri, std::string_view text) {
    Publication details;
    details.args = Json::array({text});
    answer_error(invocation, uri, details);
  }

  // What commands write to standard error need not be UTF-8.
  void answer_error(std::uint64_t invocation, std::string_view uri, const Publication& details) {
    Publication clean = details;
    clean.args = Json::parse(details.args.dump(-1, ' ', false, Json::error_handler_t::replace));
    const auto encoded = encode(session_.serializer(), clean);
    const auto* payload = std::get_if<EncodedPayload>(&encoded);
    session_.fail_invocation(invocation, uri,
                             payload != nullptr ? payload->view() : wire::Payload{});
  }

  void await_signal() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) signaled();
    });
  }

  // The first: no more invocations, and those that are running are finished. The second: no
  // waiting for them.
  void signaled() {
    if (std::exchange(leaving_, true) || registration_ == 0) return session_.close();
    session_.unregister(registration_, [this](const Session::IdOrFailure&) {
      if (runs_.empty() && waiting_.empty()) session_.close();
    });
    await_signal();
  }

  void fail(Failure failure) {
    if (!failure_) failure_ = std::move(failure);
    session_.close();
  }

  void closed(const std::optional<Failure>& failure) {
    if (failure && !failure_) failure_ = failure;
    context_.stop();
  }

  const RegisterOptions& options_;
  const std::string path_;
  asio::io_context context_;
  asio::signal_set signals_;
  std::uint64_t registration_ = 0;     // 0 until REGISTERED
  std::map<std::uint64_t, Run> runs_;  // by invocation, at most options_.concurrency
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::optional<Failure> failure_;
  bool leaving_ = false;  // a signal has come
  Session session_;
};

int run_register(const RegisterOptions& options) {
  ensure_standard_streams();
  auto path = find_program(options.command.front());
  if (!path) {
    return report({Failure::Kind::input,
                   fmt::format("there is no program '{}'", options.command.front()),
                   "name one that PATH has, or its path; a shell's own words need a shell"});
  }
  auto session_options = options.connect.session_options();
  if (const auto* failure = std::get_if<Failure>(&session_options)) return report(*failure);
  Callee callee(options, *std::move(path), std::get<Session::Options>(std::move(session_options)));
  return callee.run();
}

const std::string kFooter =
    std::string(
        "Examples:\n"
        "  ringcast-cli register com.example.date -- date --iso-8601=seconds\n"
        "  ringcast-cli register com.example.sum -- jq '.args | add'\n"
        "  ringcast-cli register com.example. --match prefix --concurrency 4 --timeout 30 -- "
        "./handler.py\n\n"
        "Each invocation runs COMMAND once, without a shell. It reads one line of JSON, "
        "{\"procedure\":...,\n"
        "\"args\":[...],\"kwargs\":{...}}, with caller, caller_authid and caller_authrole if they "
        "are disclosed. What it\n"
        "writes is the result: one argument, JSON if it parses, else text. An exit status other "
        "than 0 is the ERROR\n"
        "ringcast.error.command_failed with the end of its standard error. An INTERRUPT or the "
        "--timeout ends it:\n"
        "SIGTERM, and SIGKILL two seconds later. The first Ctrl-C unregisters and waits for what "
        "runs, the second\n"
        "leaves at once.\n\n") +
    kExitCodesHelp;

const std::map<std::string, wire::InvokePolicy> kPolicies = {
    {"single", wire::InvokePolicy::single},
    {"roundrobin", wire::InvokePolicy::roundrobin},
    {"random", wire::InvokePolicy::random},
    {"first", wire::InvokePolicy::first},
    {"last", wire::InvokePolicy::last}};

}  // namespace

Command add_register(CLI::App& app) {
  const auto options = std::make_shared<RegisterOptions>();
  CLI::App* command =
      app.add_subcommand("register", "serve a procedure by running a command per invocation");
  command->footer(kFooter);
  options->connect.add_to(*command);
  typed(command->add_option("PROCEDURE", options->procedure, "the procedure, or a pattern"))
      ->required();
  typed(command->add_option("COMMAND", options->command, "-- and the command with its arguments"))
      ->required();
  add_match_option(*command, options->match);
  command
      ->add_option_function<std::string>(
          "--invoke", [options](const std::string& name) { options->invoke = kPolicies.at(name); },
          "single (the default), or how calls are spread over all who register it: roundrobin, "
          "random, first, last")
      ->type_name("POLICY")
      ->check(CLI::IsMember({"single", "roundrobin", "random", "first", "last"}));
  command->add_option("--concurrency", options->concurrency, "commands that run at a time")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1024}));
  command->add_option("--timeout", options->timeout_s, "end a command after this many seconds")
      ->check(CLI::Range(0.0, 1e9));
  command
      ->add_option("--output-bytes-max", options->output_bytes_max,
                   "what a command may write; keep it below what the broker takes as a message")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{256} << 20));
  return {command, [options] { return run_register(*options); }};
}

}  // namespace ringcast::cli
