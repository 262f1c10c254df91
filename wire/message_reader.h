// The elements of each WAMP message, in order, and the options that are decoded (WAMP
// specification, "Messages"). Internal to wire/.
#pragma once

#include <optional>
#include <utility>

#include "wire/field_reader.h"
#include "wire/message.h"

namespace ringcast::wire {

template <class Scanner>
class MessageReader {
 public:
  MessageReader(Scanner& scanner, Serializer serializer) : fields_(scanner, serializer) {}

  // Reads the message into `out`. False if it is not one; take_violation() then tells why.
  bool read(Message& out) {
    if (!fields_.begin()) return false;
    switch (fields_.type()) {
      case MessageType::hello:
        return read_as<Hello>(out);
      case MessageType::welcome:
        return read_as<Welcome>(out);
      case MessageType::abort:
        return read_as<Abort>(out);
      case MessageType::challenge:
        return read_as<Challenge>(out);
      case MessageType::authenticate:
        return read_as<Authenticate>(out);
      case MessageType::goodbye:
        return read_as<Goodbye>(out);
      case MessageType::error:
        return read_as<Error>(out);
      case MessageType::publish:
        return read_as<Publish>(out);
      case MessageType::published:
        return read_as<Published>(out);
      case MessageType::subscribe:
        return read_as<Subscribe>(out);
      case MessageType::subscribed:
        return read_as<Subscribed>(out);
      case MessageType::unsubscribe:
        return read_as<Unsubscribe>(out);
      case MessageType::unsubscribed:
        return read_as<Unsubscribed>(out);
      case MessageType::event:
        return read_as<Event>(out);
      case MessageType::call:
        return read_as<Call>(out);
      case MessageType::cancel:
        return read_as<Cancel>(out);
      case MessageType::result:
        return read_as<Result>(out);
      case MessageType::register_:
        return read_as<Register>(out);
      case MessageType::registered:
        return read_as<Registered>(out);
      case MessageType::unregister:
        return read_as<Unregister>(out);
      case MessageType::unregistered:
        return read_as<Unregistered>(out);
      case MessageType::invocation:
        return read_as<Invocation>(out);
      case MessageType::interrupt:
        return read_as<Interrupt>(out);
      case MessageType::yield:
        return read_as<Yield>(out);
    }
    return false;
  }

  std::string take_violation() { return fields_.take_violation(); }

 private:
  template <class M>
  bool read_as(Message& out) {
    return elements(out.emplace<M>()) && fields_.end();
  }

  // Opening and closing.
  bool elements(Hello& m) {
    return fields_.text("Realm", m.realm) && fields_.dict("Details", m.raw_details, [&](Bytes key) {
      return hello_detail(key, m.details);
    }) && announces_role(m.details);
  }
  bool elements(Welcome& m) {
    return fields_.id("Session", m.session) && fields_.dict("Details", m.raw_details);
  }
  bool elements(Abort& m) {
    const auto detail = [&](Bytes key) {
      if (key == "message") return fields_.option_text("Details.message", m.message);
      return fields_.skip_value();
    };
    return fields_.dict("Details", m.raw_details, detail) && fields_.text("Reason", m.reason);
  }
  bool elements(Challenge& m) {
    return fields_.text("AuthMethod", m.method) && fields_.dict("Extra", m.raw_extra);
  }
  bool elements(Authenticate& m) {
    return fields_.text("Signature", m.signature) && fields_.dict("Extra", m.raw_extra);
  }
  bool elements(Goodbye& m) {
    return fields_.dict("Details", m.raw_details) && fields_.text("Reason", m.reason);
  }
  bool elements(Error& m) {
    return fields_.id_or_zero("REQUEST.Type", m.request_type) &&
           fields_.id("REQUEST.Request", m.request) && fields_.dict("Details", m.raw_details) &&
           fields_.text("Error", m.error) && fields_.payload(m.payload);
  }

  // Publish and subscribe.
  bool elements(Publish& m) {
    return fields_.id("Request", m.request) &&
           fields_.dict("Options", m.raw_options,
                        [&](Bytes key) { return publish_option(key, m.options); }) &&
           fields_.text("Topic", m.topic) && fields_.payload(m.payload);
  }
  bool elements(Published& m) {
    return fields_.id("Request", m.request) && fields_.id("Publication", m.publication);
  }
  bool elements(Subscribe& m) {
    const auto option = [&](Bytes key) {
      return key == "match" ? match_option(m.options.match) : fields_.skip_value();
    };
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options, option) &&
           fields_.text("Topic", m.topic);
  }
  bool elements(Subscribed& m) {
    return fields_.id("Request", m.request) && fields_.id("Subscription", m.subscription);
  }
  bool elements(Unsubscribe& m) {
    return fields_.id("Request", m.request) && fields_.id("Subscription", m.subscription);
  }
  bool elements(Unsubscribed& m) { return fields_.id("Request", m.request); }
  bool elements(Event& m) {
    return fields_.id("Subscription", m.subscription) && fields_.id("Publication", m.publication) &&
           fields_.dict("Details", m.raw_details) && fields_.payload(m.payload);
  }

  // Remote procedure calls.
  bool elements(Call& m) {
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options) &&
           fields_.text("Procedure", m.procedure) && fields_.payload(m.payload);
  }
  bool elements(Cancel& m) {
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options);
  }
  bool elements(Result& m) {
    return fields_.id("Request", m.request) && fields_.dict("Details", m.raw_details) &&
           fields_.payload(m.payload);
  }
  bool elements(Register& m) {
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options) &&
           fields_.text("Procedure", m.procedure);
  }
  bool elements(Registered& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration);
  }
  bool elements(Unregister& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration);
  }
  // With details the router took the registration away, and there is no request to refer to.
  bool elements(Unregistered& m) {
    if (!fields_.id_or_zero("Request", m.request)) return false;
    if (!fields_.trailing_dict("Details", m.raw_details)) return false;
    if (m.request == 0 && m.raw_details.empty())
      return fields_.wrong_value("Request", "an integer from 1 to 2^53, or 0 with Details");
    return true;
  }
  bool elements(Invocation& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration) &&
           fields_.dict("Details", m.raw_details) && fields_.payload(m.payload);
  }
  bool elements(Interrupt& m) {
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options);
  }
  bool elements(Yield& m) {
    return fields_.id("Request", m.request) && fields_.dict("Options", m.raw_options) &&
           fields_.payload(m.payload);
  }

  // Options and details. A key that comes twice counts as it comes last.
  bool hello_detail(Bytes key, HelloDetails& details) {
    if (key == "roles") {
      details.publisher = details.subscriber = details.caller = details.callee = false;
      return fields_.option_dict("Details.roles",
                                 [&](Bytes role) { return hello_role(role, details); });
    }
    if (key == "authid") return fields_.option_text("Details.authid", details.authid);
    if (key == "authmethods")
      return fields_.option_text_list("Details.authmethods", details.authmethods);
    return fields_.skip_value();
  }
  bool hello_role(Bytes role, HelloDetails& details) {
    if (role == "publisher")
      return fields_.option_dict("Details.roles.publisher", details.publisher);
    if (role == "subscriber")
      return fields_.option_dict("Details.roles.subscriber", details.subscriber);
    if (role == "caller") return fields_.option_dict("Details.roles.caller", details.caller);
    if (role == "callee") return fields_.option_dict("Details.roles.callee", details.callee);
    return fields_.skip_value();
  }
  bool announces_role(const HelloDetails& details) {
    if (details.publisher || details.subscriber || details.caller || details.callee) return true;
    return fields_.wrong_value("Details.roles",
                               "a dict with at least one of publisher, subscriber, caller, callee");
  }
  bool publish_option(Bytes key, PublishOptions& options) {
    if (key == "acknowledge")
      return fields_.option_bool("Options.acknowledge", false, options.acknowledge);
    if (key == "exclude_me")
      return fields_.option_bool("Options.exclude_me", true, options.exclude_me);
    return fields_.skip_value();
  }
  bool match_option(MatchPolicy& match) {
    Bytes name;
    if (!fields_.option_text("Options.match", name)) return false;
    if (name.data() == nullptr || name == "exact") {
      match = MatchPolicy::exact;
    } else if (name == "prefix") {
      match = MatchPolicy::prefix;
    } else if (name == "wildcard") {
      match = MatchPolicy::wildcard;
    } else {
      return fields_.wrong_value("Options.match", "exact, prefix or wildcard");
    }
    return true;
  }

  FieldReader<Scanner> fields_;
};

}  // namespace ringcast::wire
