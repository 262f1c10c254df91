#include "client/cli/meta.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/asking.h"
#include "client/cli/connect_options.h"
#include "client/cli/exit_code.h"
#include "client/cli/results.h"
#include "client/cli/table.h"
#include "client/cli/words.h"
#include "wire/uri.h"

namespace ringcast::cli {
namespace {

using client::Failure;

struct MetaOptions {
  ConnectOptions connect;
  bool json = false;
  std::vector<std::uint64_t> ids;
  std::string reason;   // kill: a URI
  std::string message;  // kill: for people
};

// What is listed of a kind of thing, and how the procedures about it are called.
struct Kind {
  const char* prefix;                // of its procedures
  std::vector<const char*> columns;  // of its details
  const char* members;               // of its sessions: list_MEMBERS, count_MEMBERS; null: none
};

const Kind kSessions{"wamp.session.", {"session", "authid", "authrole", "authmethod"}, nullptr};
const Kind kSubscriptions{"wamp.subscription.", {"id", "match", "uri", "created"}, "subscribers"};
const Kind kRegistrations{
    "wamp.registration.", {"id", "match", "invoke", "uri", "created"}, "callees"};

// A cell of a table.
std::string cell(const Json& details, const char* name) {
  const auto found = details.find(name);
  if (found == details.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Publication with_id(const Json& id) { return {Json::array({id}), nullptr}; }

// The first argument of an answer, if it has one.
Json value_of(const Publication& content) {
  return content.args.empty() ? Json() : content.args[0];
}

class Meta {
 public:
  Meta(const MetaOptions& options, Asking& asking) : options_(options), asking_(asking) {}

  int list(const Kind& kind) {
    const auto ids = listed(kind);
    if (!ids) return exit_code_;
    std::vector<Publication> payloads;
    for (const Json& id : *ids) payloads.push_back(with_id(id));
    const auto details = asking_.ask_each(std::string(kind.prefix) + "get", payloads);
    std::vector<Asking::Answer> counts;
    if (kind.members != nullptr) {
      counts = asking_.ask_each(fmt::format("{}count_{}", kind.prefix, kind.members), payloads);
    }
    Json all = Json::array();
    for (std::size_t i = 0; i < details.size(); ++i) {
      const auto one = present(details[i]);
      if (!one) {
        if (exit_code_ != kExitOk) return exit_code_;
        continue;  // it has gone since it was listed
      }
      all.push_back(*one);
      if (counts.empty()) continue;
      const auto count = present(counts[i]);
      if (!count && exit_code_ != kExitOk) return exit_code_;
      all.back()[kind.members] = count ? *count : Json(0);
    }
    return show(kind, all);
  }

  int show_one(const Kind& kind, std::uint64_t id) {
    const auto details = answered(asking_.ask(std::string(kind.prefix) + "get", with_id(id)));
    if (!details) return exit_code_;
    Json one = *details;
    if (kind.members != nullptr) {
      const auto members =
          answered(asking_.ask(fmt::format("{}list_{}", kind.prefix, kind.members), with_id(id)));
      if (!members) return exit_code_;
      one[kind.members] = *members;
    }
    if (options_.json) return write_output(one.dump() + "\n") ? kExitOk : kExitFailure;
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : one.items()) rows.push_back({name, cell(one, name.c_str())});
    return write_output(table(rows)) ? kExitOk : kExitFailure;
  }

  // All of them, even if one fails.
  int kill() {
    std::vector<Publication> payloads;
    for (const std::uint64_t id : options_.ids) {
      Publication payload = with_id(id);
      payload.kwargs = Json::object();
      if (!options_.reason.empty()) payload.kwargs["reason"] = options_.reason;
      if (!options_.message.empty()) payload.kwargs["message"] = options_.message;
      payloads.push_back(std::move(payload));
    }
    int exit_code = kExitOk;
    for (const auto& answer : asking_.ask_each("wamp.session.kill", payloads)) {
      exit_code_ = kExitOk;
      if (!std::holds_alternative<Publication>(answer)) (void)answered(answer);
      if (exit_code == kExitOk) exit_code = exit_code_;
    }
    return exit_code;
  }

 private:
  // The ids of all of a kind. Sessions come as one list, the others as one for each match policy.
  std::optional<std::vector<Json>> listed(const Kind& kind) {
    const auto list = answered(asking_.ask(std::string(kind.prefix) + "list", {}));
    if (!list) return std::nullopt;
    std::vector<Json> ids;
    const auto add = [&ids](const Json& some) {
      for (const Json& id : some) ids.push_back(id);
    };
    if (list->is_array()) add(*list);
    if (list->is_object()) {
      for (const auto& [policy, some] : list->items()) {
        if (some.is_array()) add(some);
      }
    }
    return ids;
  }

  int show(const Kind& kind, const Json& all) {
    if (options_.json) return write_output(all.dump() + "\n") ? kExitOk : kExitFailure;
    std::vector<const char*> columns = kind.columns;
    if (kind.members != nullptr) columns.push_back(kind.members);
    std::vector<std::vector<std::string>> rows(1);
    for (const char* column : columns) {
      rows[0].emplace_back(column);
      for (char& c : rows[0].back()) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      }
    }
    for (const Json& one : all) {
      rows.emplace_back();
      for (const char* column : columns) rows.back().push_back(cell(one, column));
    }
    return write_output(table(rows)) ? kExitOk : kExitFailure;
  }

  // The answer's value; without one it is reported and decides the exit code.
  std::optional<Json> answered(const Asking::Answer& answer) {
    if (const auto* content = std::get_if<Publication>(&answer)) return value_of(*content);
    if (const auto* refusal = std::get_if<Asking::Refusal>(&answer)) {
      fmt::print(stderr, "ringcast-cli: {}\n", error_text(refusal->uri, refusal->content));
      exit_code_ = kExitCallError;
    } else {
      exit_code_ = report(std::get<Failure>(answer));
    }
    return std::nullopt;
  }

  // The same, but what is not there any more is no failure.
  std::optional<Json> present(const Asking::Answer& answer) {
    const auto* refusal = std::get_if<Asking::Refusal>(&answer);
    if (refusal != nullptr && (refusal->uri == wire::uri::kNoSuchSession ||
                               refusal->uri == wire::uri::kNoSuchSubscription ||
                               refusal->uri == wire::uri::kNoSuchRegistration))
      return std::nullopt;
    return answered(answer);
  }

  const MetaOptions& options_;
  Asking& asking_;
  int exit_code_ = kExitOk;
};

int run_meta(const MetaOptions& options, const std::function<int(Meta&)>& ask) {
  auto session_options = options.connect.session_options();
  if (const auto* failure = std::get_if<Failure>(&session_options)) return report(*failure);
  auto opened = Asking::open(std::get<client::Session::Options>(std::move(session_options)));
  if (const auto* failure = std::get_if<Failure>(&opened)) return report(*failure);
  Asking& asking = *std::get<std::unique_ptr<Asking>>(opened);
  Meta meta(options, asking);
  const int exit_code = ask(meta);
  asking.close();
  return exit_code;
}

const std::string kFooter =
    std::string(
        "Examples:\n"
        "  ringcast-cli meta sessions\n"
        "  ringcast-cli meta registrations --json | jq '.[] | select(.callees == 0)'\n"
        "  ringcast-cli meta session 4711\n"
        "  ringcast-cli meta kill 4711 4712 --reason com.example.maintenance\n\n"
        "What the realm tells depends on the role that we have in it. Among the sessions is this "
        "command's own.\n\n") +
    kExitCodesHelp;

}  // namespace

Command add_meta(CLI::App& app) {
  const auto options = std::make_shared<MetaOptions>();
  const auto ask = std::make_shared<std::function<int(Meta&)>>();
  CLI::App* command =
      app.add_subcommand("meta", "show and end sessions, show subscriptions and registrations");
  command->require_subcommand(1);
  command->footer(kFooter);
  const auto add = [&](const char* name, const char* what, auto how) {
    CLI::App* sub = command->add_subcommand(name, what);
    options->connect.add_to(*sub);
    sub->callback([ask, how] { *ask = how; });
    return sub;
  };
  const auto add_json = [&](CLI::App* sub) {
    sub->add_flag("--json", options->json, "as JSON instead of a table");
    return sub;
  };
  const auto add_kind = [&](const char* many, const char* one, const Kind& kind) {
    add_json(add(many, "list them", [&kind](Meta& meta) { return meta.list(kind); }));
    CLI::App* single = add_json(add(one, "one of them, in detail", [&kind, options](Meta& meta) {
      return meta.show_one(kind, options->ids.front());
    }));
    single->add_option("ID", options->ids, "its id")->required()->expected(1);
  };
  add_kind("sessions", "session", kSessions);
  add_kind("subscriptions", "subscription", kSubscriptions);
  add_kind("registrations", "registration", kRegistrations);
  CLI::App* kill = add("kill", "end sessions", [](Meta& meta) { return meta.kill(); });
  kill->add_option("ID", options->ids, "the sessions")->required();
  typed(kill->add_option("--reason", options->reason, "what they are told, a URI"));
  typed(kill->add_option("--message", options->message, "the same for people"));
  return {command, [options, ask] { return run_meta(*options, *ask); }};
}

}  // namespace ringcast::cli
