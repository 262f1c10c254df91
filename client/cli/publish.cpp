#include "client/cli/publish.h"

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
#include "client/cli/input.h"
#include "client/cli/words.h"
#include "client/session.h"
#include "wire/uri.h"

namespace ringcast::cli {
namespace {

namespace asio = boost::asio;
using client::Failure;
using client::Session;
using Clock = std::chrono::steady_clock;

struct PublishOptions {
  ConnectOptions connect;
  std::string topic;
  std::vector<std::string> args;
  std::string kwargs;  // JSON text of an object; empty: none
  std::string from;    // a file's name, "-" for standard input; empty: args and kwargs
  std::optional<InputFormat> format;
  std::string topic_field;   // empty: all go to `topic`
  double rate_per_s = 0;     // 0: as fast as the broker takes them
  std::size_t count = 0;     // 0: one message, or all records
  std::size_t window = 256;  // acknowledgements awaited at most
  bool acknowledge = true;
};

// Not yet taken by the kernel: past this, publishing waits for the connection.
constexpr std::size_t kQueuedBytesMax = 1 << 20;

// Without acknowledgement nobody else would tell.
std::optional<Failure> check_topic(std::string_view topic) {
  if (wire::uri_valid(topic, wire::UriRule::loose)) return std::nullopt;
  return Failure{Failure::Kind::input, fmt::format("'{}' is not a topic", topic),
                 "a topic is components without white space or '#', joined by single dots"};
}

// Publishes as fast as rate, window and connection allow. Everything that may let the next one go
// (an acknowledgement, a drained connection, the clock, more input) calls pump().
class Publisher {
 public:
  // `input` is null for one message, which is `message`.
  Publisher(asio::io_context& context, const PublishOptions& options,
            Session::Options session_options, std::unique_ptr<Input> input, Publication message)
      : options_(options),
        context_(context),
        input_(std::move(input)),
        message_(std::move(message)),
        count_(options.count == 0 && !input_ ? 1 : options.count),
        pace_(context_),
        signals_(context_, SIGINT, SIGTERM),
        session_(context_, std::move(session_options),
                 {[this](std::uint64_t) { start(); }, [this] { pump(); },
                  [this](const std::optional<Failure>& failure) { closed(failure); }}) {}

  int run() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (error) return;
      fail({Failure::Kind::closed, "interrupted before everything was published", ""});
    });
    session_.open();
    context_.run();
    if (failure_) {
      const int code = report(*failure_);
      if (input_) fmt::print(stderr, "published {} before that\n", settled());
      return code;
    }
    if (input_) fmt::print(stderr, "published {}\n", settled());
    return kExitOk;
  }

 private:
  std::size_t settled() const { return options_.acknowledge ? acknowledged_ : sent_; }

  void start() {
    started_ = Clock::now();
    open_ = true;
    pump();
  }

  void pump() {
    while (open_ && !stopped_ && may_send_now()) {
      if (count_ != 0 && sent_ == count_) {
        stopped_ = true;
        break;
      }
      if (!input_) {
        publish(message_);
        continue;
      }
      Input::Next next = input_->next();
      if (std::holds_alternative<InputLater>(next)) return wait_for_input();
      if (auto* failure = std::get_if<Failure>(&next)) return fail(std::move(*failure));
      if (std::holds_alternative<InputEnd>(next)) {
        stopped_ = true;
        break;
      }
      publish(std::get<Publication>(next));
    }
    leave_when_settled();
  }

  bool may_send_now() {
    if (waiting_for_input_ || pacing_) return false;
    if (options_.acknowledge && in_flight_ >= options_.window) return false;
    if (session_.queued_bytes() > kQueuedBytesMax) return false;
    if (options_.rate_per_s <= 0) return true;
    if (count_ != 0 && sent_ == count_) return true;  // nothing to wait for any more
    const auto due =
        started_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                       static_cast<double>(sent_) / options_.rate_per_s));
    if (Clock::now() >= due) return true;
    pacing_ = true;
    pace_.expires_at(due);
    pace_.async_wait([this](boost::system::error_code error) {
      pacing_ = false;
      if (!error) pump();
    });
    return false;
  }

  void wait_for_input() {
    waiting_for_input_ = true;
    input_->wait([this] {
      waiting_for_input_ = false;
      pump();
    });
  }

  void publish(const Publication& publication) {
    std::string topic = options_.topic;
    if (!options_.topic_field.empty() && !append_topic_field(publication, topic)) return;
    if (auto failure = check_topic(topic)) return fail(std::move(*failure));
    auto encoded = encode(session_.serializer(), publication);
    if (auto* failure = std::get_if<Failure>(&encoded)) return fail(std::move(*failure));
    ++sent_;
    const wire::Payload payload = std::get<EncodedPayload>(encoded).view();
    if (!options_.acknowledge) return session_.publish(topic, payload, nullptr);
    ++in_flight_;
    session_.publish(topic, payload, [this, topic](const Session::IdOrFailure& result) {
      --in_flight_;
      if (const auto* failure = std::get_if<Failure>(&result)) {
        Failure refused = *failure;
        if (refused.kind == Failure::Kind::refused) {
          refused.cause =
              fmt::format("the broker refused the publication to '{}': {}", topic, refused.cause);
        }
        return fail(std::move(refused));
      }
      ++acknowledged_;
      pump();
    });
  }

  bool append_topic_field(const Publication& publication, std::string& topic) {
    const auto& record = publication.kwargs;
    const auto field = record.is_object() ? record.find(options_.topic_field) : record.end();
    if (!record.is_object() || field == record.end() || field->is_structured()) {
      fail({Failure::Kind::input,
            fmt::format("record {} has no plain field '{}' to make its topic of",
                        input_ ? input_->records() : sent_ + 1, options_.topic_field),
            "check --topic-field against the names in the data"});
      return false;
    }
    topic += field->is_string() ? field->get<std::string>() : field->dump();
    return true;
  }

  // The first failure decides. What is in flight is still awaited.
  void fail(Failure failure) {
    if (!failure_) failure_ = std::move(failure);
    stopped_ = true;
    leave_when_settled();
  }

  void leave_when_settled() {
    if (!stopped_ || in_flight_ != 0) return;
    session_.close();
  }

  void closed(const std::optional<Failure>& failure) {
    open_ = false;
    if (failure && !failure_) failure_ = failure;
    context_.stop();
  }

  const PublishOptions& options_;
  asio::io_context& context_;
  const std::unique_ptr<Input> input_;
  const Publication message_;
  const std::size_t count_;  // publications at most; 0: no limit
  asio::steady_timer pace_;
  asio::signal_set signals_;
  Clock::time_point started_;
  std::size_t sent_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t acknowledged_ = 0;
  std::optional<Failure> failure_;
  bool open_ = false;               // true from WELCOME to the end
  bool stopped_ = false;            // nothing more will be published
  bool pacing_ = false;             // true while pace_ is armed
  bool waiting_for_input_ = false;  // true while input_->wait() is pending
  Session session_;
};

std::variant<Publication, Failure> message_of(const PublishOptions& options) {
  Publication message{Json::array(), nullptr};
  for (const std::string& argument : options.args)
    message.args.push_back(value_of_argument(argument));
  if (options.kwargs.empty()) return message;
  message.kwargs = Json::parse(options.kwargs, nullptr, false);
  if (message.kwargs.is_object()) return message;
  return Failure{Failure::Kind::input,
                 fmt::format("--kwargs {} is not a JSON object", options.kwargs),
                 "write it as '{\"name\": value}', quoted for the shell"};
}

// Runs until everything is published or something fails.
int run_publish(const PublishOptions& options) {
  auto session_options = options.connect.session_options();
  if (const auto* failure = std::get_if<Failure>(&session_options)) return report(*failure);
  auto message = message_of(options);
  if (const auto* failure = std::get_if<Failure>(&message)) return report(*failure);

  if (options.topic_field.empty()) {
    if (const auto failure = check_topic(options.topic)) return report(*failure);
  }
  asio::io_context context;
  std::unique_ptr<Input> input;
  if (!options.from.empty()) {
    auto opened = Input::open(context, options.from, options.format);
    if (const auto* failure = std::get_if<Failure>(&opened)) return report(*failure);
    input = std::move(std::get<std::unique_ptr<Input>>(opened));
  }
  Publisher publisher(context, options, std::move(std::get<Session::Options>(session_options)),
                      std::move(input), std::move(std::get<Publication>(message)));
  return publisher.run();
}

int run_parsed(PublishOptions& options, bool from_stdin) {
  const bool dash = options.args == std::vector<std::string>{"-"};
  if (from_stdin || (dash && options.from.empty())) options.from = "-";
  const bool has_message = !options.kwargs.empty() || (!options.args.empty() && !dash);
  if (!options.from.empty() && has_message) {
    return report({Failure::Kind::input, "both a message and records to publish were given",
                   "give either ARG and --kwargs, or --from FILE or --stdin"});
  }
  return run_publish(options);
}

const std::string kPublishFooter =
    std::string(
        "Examples:\n"
        "  ringcast-cli publish greetings '\"hello\"' 42 --kwargs '{\"from\": \"me\"}'\n"
        "  tail -f app.log.jsonl | ringcast-cli publish app.log -\n"
        "  ringcast-cli publish stocks. --from quotes.csv --topic-field symbol --rate 100\n"
        "  ringcast-cli publish flights --from flights.json --no-acknowledge\n\n"
        "Each ARG is sent as the JSON value it is, or as a string if it is none. Of a stream each "
        "record is\n"
        "one publication: an array is sent as arguments, an object as keyword arguments, anything "
        "else as the\n"
        "only argument. Without --no-acknowledge, exit code 0 means that the broker took "
        "everything.\n\n") +
    kExitCodesHelp;

const std::map<std::string, InputFormat> kFormats = {
    {"jsonl", InputFormat::jsonl}, {"json", InputFormat::json}, {"csv", InputFormat::csv}};

}  // namespace

Command add_publish(CLI::App& app) {
  const auto options = std::make_shared<PublishOptions>();
  const auto from_stdin = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("publish", "publish messages to a topic");
  command->footer(kPublishFooter);
  options->connect.add_to(*command);
  typed(command->add_option("TOPIC", options->topic, "the topic; with --topic-field its beginning"))
      ->required();
  typed(command->add_option("ARG", options->args,
                            "arguments of the message; a single - reads standard input"));
  typed(command->add_option("--kwargs", options->kwargs, "keyword arguments, a JSON object"));
  CLI::Option* from =
      typed(command->add_option("--from", options->from, "publish the records of this file"));
  command->add_flag("--stdin", *from_stdin, "publish the records of standard input")
      ->excludes(from);
  command
      ->add_option_function<std::string>(
          "--format", [options](const std::string& name) { options->format = kFormats.at(name); },
          "what the records are: jsonl (one JSON value per line), json (one array of records), csv "
          "(with a header line); by the file's ending if not given, else jsonl")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"jsonl", "json", "csv"}));
  typed(command->add_option("--topic-field", options->topic_field,
                            "append the value of this field of each record to TOPIC"));
  command
      ->add_option("--rate", options->rate_per_s, "publications per second; 0: as fast as possible")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--count", options->count,
                      "stop after this many publications; a single message is repeated");
  command->add_flag("--acknowledge,!--no-acknowledge", options->acknowledge,
                    "wait for the broker to confirm each publication (the default)");
  command->add_option("--window", options->window, "confirmations awaited at a time")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
  return {command, [options, from_stdin] { return run_parsed(*options, *from_stdin); }};
}

}  // namespace ringcast::cli
