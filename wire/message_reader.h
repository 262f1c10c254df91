// The elements of each WAMP message, in order (WAMP specification, "Messages"). Internal to wire/.
#pragma once

#include <string>

#include "wire/field_reader.h"
#include "wire/message.h"
#include "wire/option_reader.h"

namespace ringcast::wire {

template <class Scanner>
class MessageReader {
 public:
  MessageReader(Scanner& scanner, Serializer serializer)
      : fields_(scanner, serializer), options_(fields_) {}

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

  // An element of options or details.
  template <class Options>
  bool options(Bytes field, Options& out, Bytes& raw) {
    if (!fields_.dict(field, raw, [&](Bytes key) { return options_.read(key, out); })) return false;
    OptionReader<Scanner>::settle(out);
    return true;
  }

  // Opening and closing.
  bool elements(Hello& m) {
    return fields_.text("Realm", m.realm) && options("Details", m.details, m.raw_details) &&
           announces_role(m.details);
  }
  bool announces_role(const HelloDetails& details) {
    for (const ClientRole& role :
         {details.publisher, details.subscriber, details.caller, details.callee}) {
      if (role.announced) return true;
    }
    return fields_.wrong_value("Details.roles",
                               "a dict with at least one of publisher, subscriber, caller, callee");
  }
  bool elements(Welcome& m) {
    return fields_.id("Session", m.session) && fields_.dict("Details", m.raw_details);
  }
  bool elements(Abort& m) {
    const auto detail = [&](Bytes key) {
      return key == "message" ? fields_.option_text(key, m.message) : fields_.skip_value();
    };
    return fields_.dict("Details", m.raw_details, detail) && fields_.text("Reason", m.reason) &&
           fields_.payload(m.payload);
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
           fields_.id("REQUEST.Request", m.request) &&
           options("Details", m.details, m.raw_details) && fields_.text("Error", m.error) &&
           fields_.payload(m.payload);
  }

  // Publish and subscribe.
  bool elements(Publish& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options) &&
           fields_.text("Topic", m.topic) && fields_.payload(m.payload);
  }
  bool elements(Published& m) {
    return fields_.id("Request", m.request) && fields_.id("Publication", m.publication);
  }
  bool elements(Subscribe& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options) &&
           fields_.text("Topic", m.topic);
  }
  bool elements(Subscribed& m) {
    return fields_.id("Request", m.request) && fields_.id("Subscription", m.subscription);
  }
  bool elements(Unsubscribe& m) {
    return fields_.id("Request", m.request) && fields_.id("Subscription", m.subscription);
  }
  bool elements(Unsubscribed& m) { return revocable(m, "subscription", m.subscription); }
  bool elements(Event& m) {
    return fields_.id("Subscription", m.subscription) && fields_.id("Publication", m.publication) &&
           options("Details", m.details, m.raw_details) && fields_.payload(m.payload);
  }

  // Remote procedure calls.
  bool elements(Call& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options) &&
           fields_.text("Procedure", m.procedure) && fields_.payload(m.payload);
  }
  bool elements(Cancel& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options);
  }
  bool elements(Result& m) {
    return fields_.id("Request", m.request) && options("Details", m.details, m.raw_details) &&
           fields_.payload(m.payload);
  }
  bool elements(Register& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options) &&
           fields_.text("Procedure", m.procedure);
  }
  bool elements(Registered& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration);
  }
  bool elements(Unregister& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration);
  }
  bool elements(Unregistered& m) { return revocable(m, "registration", m.registration); }
  bool elements(Invocation& m) {
    return fields_.id("Request", m.request) && fields_.id("Registration", m.registration) &&
           options("Details", m.details, m.raw_details) && fields_.payload(m.payload);
  }
  bool elements(Interrupt& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options);
  }
  bool elements(Yield& m) {
    return fields_.id("Request", m.request) && options("Options", m.options, m.raw_options) &&
           fields_.payload(m.payload);
  }

  // UNSUBSCRIBED and UNREGISTERED. When the router took away what there was, they answer no request
  // and name in their details what it was.
  template <class M>
  bool revocable(M& m, Bytes what, std::uint64_t& revoked) {
    const auto detail = [&](Bytes key) {
      if (key == what) return fields_.option_id(key, revoked);
      if (key == "reason") return fields_.option_text(key, m.reason);
      return fields_.skip_value();
    };
    if (!fields_.id_or_zero("Request", m.request)) return false;
    if (!fields_.trailing_dict("Details", m.raw_details, detail)) return false;
    if (m.request != 0 || revoked != 0) return true;
    return fields_.wrong_value(
        "Request", "an integer from 1 to 2^53, or 0 with Details that say what is revoked");
  }

  FieldReader<Scanner> fields_;
  OptionReader<Scanner> options_;
};

}  // namespace ringcast::wire
