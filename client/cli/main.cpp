// ringcast-cli: the command line of a Ringcast broker, or of any other WAMP router.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "client/cli/exit_code.h"
#include "client/cli/publish.h"
#include "client/cli/subscribe.h"

namespace ringcast::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 the connection failed, was lost or timed out; 2 the command line or the "
    "input\n"
    "is not usable; 3 the broker refused (HTTP status, ABORT or ERROR).";

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
    kExitCodes;

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
    kExitCodes;

const std::map<std::string, InputFormat> kFormats = {
    {"jsonl", InputFormat::jsonl}, {"json", InputFormat::json}, {"csv", InputFormat::csv}};
const std::map<std::string, OutputStyle> kStyles = {
    {"pretty", OutputStyle::pretty}, {"raw", OutputStyle::raw}, {"json", OutputStyle::json}};

void add_publish(CLI::App& app, PublishOptions& options, bool& from_stdin) {
  CLI::App* command = app.add_subcommand("publish", "publish messages to a topic");
  command->footer(kPublishFooter);
  options.connect.add_to(*command);
  command->add_option("TOPIC", options.topic, "the topic; with --topic-field its beginning")
      ->required();
  command->add_option("ARG", options.args,
                      "arguments of the message; a single - reads standard input");
  command->add_option("--kwargs", options.kwargs, "keyword arguments, a JSON object");
  CLI::Option* from =
      command->add_option("--from", options.from, "publish the records of this file");
  command->add_flag("--stdin", from_stdin, "publish the records of standard input")->excludes(from);
  command
      ->add_option_function<std::string>(
          "--format", [&options](const std::string& name) { options.format = kFormats.at(name); },
          "what the records are: jsonl (one JSON value per line), json (one array of records), csv "
          "(with a header line); by the file's ending if not given, else jsonl")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"jsonl", "json", "csv"}));
  command->add_option("--topic-field", options.topic_field,
                      "append the value of this field of each record to TOPIC");
  command
      ->add_option("--rate", options.rate_per_s, "publications per second; 0: as fast as possible")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--count", options.count,
                      "stop after this many publications; a single message is repeated");
  command->add_flag("--acknowledge,!--no-acknowledge", options.acknowledge,
                    "wait for the broker to confirm each publication (the default)");
  command->add_option("--window", options.window, "confirmations awaited at a time")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
}

void add_subscribe(CLI::App& app, SubscribeOptions& options) {
  CLI::App* command = app.add_subcommand("subscribe", "print the events of topics");
  command->footer(kSubscribeFooter);
  options.connect.add_to(*command);
  command->add_option("TOPIC", options.topics, "the topics")->required();
  command->add_option("--count", options.count, "leave after this many events");
  command->add_option("--timeout", options.timeout_s, "leave after this many seconds")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option_function<std::string>(
          "--output", [&options](const std::string& name) { options.output = kStyles.at(name); },
          "pretty (for people), json (one object per line) or raw (just the arguments)")
      ->type_name("STYLE")
      ->check(CLI::IsMember({"pretty", "json", "raw"}));
}

// CLI11 takes a word in brackets for a list of its own making; here it is a JSON array. And in a
// command whose arguments are optional it does not know `--`, after which nothing is an option. A
// mark in front of such words hides them while it parses.
constexpr char kMark = '\x01';

std::vector<std::string> marked_words(int argc, char** argv) {
  std::vector<std::string> words;
  bool only_arguments = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--" && !only_arguments) {
      only_arguments = true;
      continue;
    }
    const bool hide = only_arguments || (!word.empty() && (word[0] == '[' || word[0] == kMark));
    words.push_back(hide ? kMark + word : word);
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  return words;
}

void unmark(std::string& word) {
  if (!word.empty() && word.front() == kMark) word.erase(0, 1);
}

int main(int argc, char** argv) {
  CLI::App app("Publish to and subscribe at a Ringcast broker, or any other WAMP router.",
               "ringcast-cli");
  app.set_version_flag("--version", "ringcast-cli " RINGCAST_VERSION);
  app.require_subcommand(1);
  app.footer(std::string("ringcast-cli COMMAND --help shows a command's options and examples.\n") +
             kExitCodes);
  PublishOptions publish;
  SubscribeOptions subscribe;
  bool from_stdin = false;
  add_publish(app, publish, from_stdin);
  add_subscribe(app, subscribe);
  try {
    app.parse(marked_words(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  for (std::string& topic : subscribe.topics) unmark(topic);
  if (app.got_subcommand("subscribe")) return run_subscribe(subscribe);

  for (std::string& argument : publish.args) unmark(argument);
  for (std::string* word : {&publish.topic, &publish.kwargs, &publish.from, &publish.topic_field}) {
    unmark(*word);
  }

  const bool dash = publish.args == std::vector<std::string>{"-"};
  if (from_stdin || (dash && publish.from.empty())) publish.from = "-";
  const bool has_message = !publish.kwargs.empty() || (!publish.args.empty() && !dash);
  if (!publish.from.empty() && has_message) {
    return report({client::Failure::Kind::input, "both a message and records to publish were given",
                   "give either ARG and --kwargs, or --from FILE or --stdin"});
  }
  return run_publish(publish);
}

}  // namespace
}  // namespace ringcast::cli

int main(int argc, char** argv) { return ringcast::cli::main(argc, argv); }
