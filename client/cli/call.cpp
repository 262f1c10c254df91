#include "client/cli/call.h"

#include <fmt/format.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/connect_options.h"
#include "client/cli/exit_code.h"
#include "client/cli/file.h"
#include "client/cli/results.h"
#include "client/cli/words.h"
#include "client/session.h"

namespace ringcast::cli {
namespace {

namespace asio = boost::asio;
using client::Failure;
using client::Session;

// How much later than the broker this side gives up: some routers know no timeouts.
constexpr std::chrono::milliseconds kTimeoutGrace{2000};
// How long a broker has to answer CANCEL.
constexpr std::chrono::milliseconds kCancelGrace{3000};

constexpr std::size_t kPayloadSizeMax = 64 << 20;  // bytes of standard input

struct CallOptions {
  ConnectOptions connect;
  std::string procedure;
  std::vector<std::string> args;
  std::vector<std::string> kwargs;  // NAME=VALUE
  std::string json;                 // the whole payload; empty: args and kwargs
  double timeout_s = 0;             // 0: none
  bool progress = false;
  bool disclose = false;
  ResultStyle output = ResultStyle::value;
};

class Caller {
 public:
  Caller(const CallOptions& options, Session::Options session_options, EncodedPayload payload)
      : options_(options),
        payload_(std::move(payload)),
        timer_(context_),
        signals_(context_, SIGINT, SIGTERM),
        session_(context_, std::move(session_options),
                 {[this](std::uint64_t) { call(); }, nullptr,
                  [this](const std::optional<Failure>& failure) { closed(failure); }}) {}

  int run() {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that had enough is seen by write()
    await_signal();
    session_.open();
    context_.run();
    return exit_code_;
  }

 private:
  void call() {
    wire::CallOptions call_options;
    call_options.timeout_ms = static_cast<std::uint64_t>(options_.timeout_s * 1000);
    call_options.receive_progress = options_.progress;
    call_options.disclose_me = options_.disclose;
    if (options_.timeout_s > 0) arm_timeout();
    call_ = session_.call(options_.procedure, call_options, payload_.view(),
                          [this](const Session::Answer& answer) { answered(answer); });
  }

  void answered(const Session::Answer& answer) {
    if (settled_) return;
    if (const auto* result = std::get_if<Session::Result>(&answer)) {
      if (result->progress && options_.timeout_s > 0) arm_timeout();
      return print(*result);
    }
    if (const auto* error = std::get_if<Session::CallError>(&answer)) {
      const auto decoded = decode(session_.serializer(), error->payload);
      const auto* content = std::get_if<Publication>(&decoded);
      fmt::print(stderr, "ringcast-cli: {}\n",
                 error_text(error->uri, content != nullptr ? *content : Publication{}));
      return settle(kExitCallError);
    }
    settle(report(std::get<Failure>(answer)));
  }

  void print(const Session::Result& result) {
    const auto decoded = decode(session_.serializer(), result.payload);
    if (const auto* failure = std::get_if<Failure>(&decoded)) return settle(report(*failure));
    std::string text;
    append_result(text, options_.output, std::get<Publication>(decoded));
    if (!write_output(text)) return settle(kExitFailure);
    if (!result.progress) settle(kExitOk);
  }

  // The first decides.
  void settle(int exit_code) {
    if (!std::exchange(settled_, true))
      exit_code_ =
          signal_ != 0 && exit_code == kExitCallError ? kExitSignalBase + signal_ : exit_code;
    timer_.cancel();
    session_.close();
  }

  void await_signal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
      if (!error) interrupted(number);
    });
  }

  // The first signal cancels the call, whose answer then says how it ended; the second leaves.
  void interrupted(int number) {
    if (call_ == 0 || std::exchange(signal_, number) != 0) {
      exit_code_ = kExitSignalBase + number;
      return context_.stop();
    }
    session_.cancel(call_, wire::CancelMode::killnowait);
    arm_timer(kCancelGrace, [this] {
      settled_ = true;
      exit_code_ = kExitSignalBase + signal_;
      session_.close();
    });
    await_signal();
  }

  // Progressive results start it anew, as they do at the broker.
  void arm_timeout() {
    if (signal_ != 0) return;
    const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double>(options_.timeout_s));
    arm_timer(after + kTimeoutGrace, [this] {
      session_.cancel(call_, wire::CancelMode::killnowait);
      settle(report({Failure::Kind::timeout,
                     fmt::format("no answer within {} s, nor the broker's that there was none",
                                 options_.timeout_s),
                     "see whether the callee hangs, or give a longer --timeout"}));
    });
  }

  template <class Handler>
  void arm_timer(std::chrono::milliseconds after, Handler handler) {
    timer_.expires_after(after);
    timer_.async_wait([handler](boost::system::error_code error) {
      if (!error) handler();
    });
  }

  void closed(const std::optional<Failure>& failure) {
    if (!settled_) exit_code_ = failure ? report(*failure) : kExitFailure;
    context_.stop();
  }

  const CallOptions& options_;
  const EncodedPayload payload_;
  asio::io_context context_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  std::uint64_t call_ = 0;  // 0 before it is made
  int signal_ = 0;          // the one that canceled the call
  int exit_code_ = kExitFailure;
  bool settled_ = false;  // exit_code_ is decided
  Session session_;
};

std::variant<Publication, Failure> whole_payload(const std::string& json) {
  std::string text = json;
  if (json == "-") {
    auto input = read_file("-", kPayloadSizeMax);
    if (auto* failure = std::get_if<Failure>(&input)) return std::move(*failure);
    text = std::get<std::string>(std::move(input));
  }
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_discarded()) return publication_of(std::move(value));
  return Failure{Failure::Kind::input, "--json is not JSON",
                 "an array is sent as arguments, an object as keyword arguments"};
}

std::variant<Publication, Failure> payload_of(const CallOptions& options) {
  if (!options.json.empty()) return whole_payload(options.json);
  Publication payload{Json::array(), Json::object()};
  for (const std::string& argument : options.args)
    payload.args.push_back(value_of_argument(argument));
  for (const std::string& pair : options.kwargs) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Failure{Failure::Kind::input, fmt::format("--kwarg {} is not NAME=VALUE", pair),
                     "write it as --kwarg name=value, the value being JSON or text"};
    }
    payload.kwargs[pair.substr(0, equals)] = value_of_argument(pair.substr(equals + 1));
  }
  return payload;
}

int run_call(const CallOptions& options) {
  const auto payload = payload_of(options);
  if (const auto* failure = std::get_if<Failure>(&payload)) return report(*failure);
  auto session_options = options.connect.session_options();
  if (const auto* failure = std::get_if<Failure>(&session_options)) return report(*failure);
  auto& session = std::get<Session::Options>(session_options);
  auto encoded = encode(session.serializer, std::get<Publication>(payload));
  if (const auto* failure = std::get_if<Failure>(&encoded)) return report(*failure);
  Caller caller(options, std::move(session), std::get<EncodedPayload>(std::move(encoded)));
  return caller.run();
}

const std::string kFooter =
    std::string(
        "Examples:\n"
        "  ringcast-cli call com.example.add 2 3\n"
        "  ringcast-cli call com.example.find '\"42\"' --kwarg limit=10 --kwarg order=name\n"
        "  ringcast-cli call com.example.import --json - < payload.json\n"
        "  ringcast-cli call com.example.build --progress --timeout 600\n\n"
        "Each ARG and VALUE is sent as the JSON value it is, or as a string if it is none. A "
        "result that is one\n"
        "argument is printed as that; none at all as null; anything else as {\"args\":[...],"
        "\"kwargs\":{...}}.\n"
        "An ERROR goes to standard error, as URI and text. Ctrl-C cancels the call.\n\n") +
    kExitCodesHelp;

const std::map<std::string, ResultStyle> kStyles = {
    {"value", ResultStyle::value}, {"full", ResultStyle::full}, {"raw", ResultStyle::raw}};

}  // namespace

Command add_call(CLI::App& app) {
  const auto options = std::make_shared<CallOptions>();
  CLI::App* command = app.add_subcommand("call", "call a procedure and print its result");
  command->footer(kFooter);
  options->connect.add_to(*command);
  typed(command->add_option("PROCEDURE", options->procedure, "the procedure"))->required();
  CLI::Option* args = typed(command->add_option("ARG", options->args, "arguments of the call"));
  CLI::Option* kwarg = typed(command->add_option("--kwarg", options->kwargs,
                                                 "a keyword argument; may be given several times"));
  kwarg->type_name("NAME=VALUE")->allow_extra_args(false);
  typed(command->add_option("--json", options->json,
                            "the payload as one JSON value: an array for arguments, an object for "
                            "keyword arguments; - reads it from standard input"))
      ->excludes(args)
      ->excludes(kwarg);
  command->add_option("--timeout", options->timeout_s, "end the call after this many seconds")
      ->check(CLI::Range(0.0, 1e9));
  command->add_flag("--progress", options->progress,
                    "ask for progressive results, and print each on a line of its own");
  command->add_flag("--disclose", options->disclose, "let the callee know who calls");
  command
      ->add_option_function<std::string>(
          "--output", [options](const std::string& name) { options->output = kStyles.at(name); },
          "value (the default), full (always args and kwargs) or raw (strings without quotes)")
      ->type_name("STYLE")
      ->check(CLI::IsMember({"value", "full", "raw"}));
  return {command, [options] { return run_call(*options); }};
}

}  // namespace ringcast::cli
