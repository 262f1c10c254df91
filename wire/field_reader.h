// Reads the elements of one WAMP message in order and says what is wrong with the first that is not
// as it must be. Knows types, not messages; message_reader.h puts it to use for each message.
// Internal to wire/.
//
// Every read returns false once something is wrong; violation() then tells what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "wire/message.h"
#include "wire/scan.h"

namespace ringcast::wire {

// Text for a scanner's failure, e.g. "malformed JSON at byte 7: a colon is missing after a key".
std::string describe_failure(const ScanFailure& failure, Serializer serializer);

template <class Scanner>
class FieldReader {
 public:
  FieldReader(Scanner& scanner, Serializer serializer)
      : scanner_(scanner), serializer_(serializer) {}

  // The opening of the message and its code.
  bool begin() {
    if (scanner_.at_end()) return say("the message is empty");
    if (scanner_.peek() != ValueKind::list) return not_of_kind("a message must be a list");
    if (!scanner_.enter_list(elements_)) return broken();
    if (!scanner_.next_element(elements_)) return broken_or("the message is an empty list");
    Value code;
    if (!scanner_.read(code)) return broken();
    if (code.kind != ValueKind::integer) return say("the message type must be an integer");
    shape_ = message_shape(code.integer);
    if (shape_ == nullptr) return say("unknown message type " + std::to_string(code.integer));
    elements_read_ = 1;
    return true;
  }

  // REQUIRES: begin() succeeded.
  MessageType type() const { return shape_->type; }

  // The end of the message: no further element, and nothing behind it.
  bool end() {
    if (!ended_ && scanner_.next_element(elements_))
      return wrong_count("more than", shape_->elements_max);
    if (failed()) return broken();
    return scanner_.at_end() || say("there are bytes behind the end of the message");
  }

  bool id(Bytes field, std::uint64_t& out) { return next() && integer_from(1, field, out); }
  bool id_or_zero(Bytes field, std::uint64_t& out) { return next() && integer_from(0, field, out); }

  bool text(Bytes field, Bytes& out) {
    Value value;
    if (!next() || !read_as(ValueKind::text, field, "a string", value)) return false;
    out = value.text;
    return true;
  }

  // A dict of which no key is known.
  bool dict(Bytes field, Bytes& raw) {
    return dict(field, raw, [this](Bytes) { return skip_value(); });
  }

  // A dict: `entry(key)` reads the value of each entry, by option_*() or skip_value().
  template <class Entry>
  bool dict(Bytes field, Bytes& raw, Entry entry) {
    return next() && dict_value(field, raw, std::move(entry));
  }

  // The optional elements at the end: Arguments and ArgumentsKw.
  bool payload(Payload& out) {
    bool no_args = false;
    bool no_kwargs = false;
    if (!trailing(ValueKind::list, "Arguments", "a list", out.args, no_args)) return false;
    if (!trailing(ValueKind::dict, "ArgumentsKw", "a dict", out.kwargs, no_kwargs)) return false;
    if (no_args) out.args = {};
    if (no_kwargs) out.kwargs = {};
    return true;
  }
  // An optional dict at the end, read like dict().
  template <class Entry>
  bool trailing_dict(Bytes field, Bytes& raw, Entry entry) {
    if (!next_trailing()) return !failed() || broken();
    if (scanner_.peek() == ValueKind::absent) return skip_value();
    return dict_value(field, raw, std::move(entry));
  }

  // Values of a dict's entries, for which null is as good as absent. `field` names the entry within
  // its dict.
  bool option_bool(Bytes field, bool default_value, bool& out) {
    Value value;
    if (!read_option(ValueKind::boolean, field, "a boolean", value)) return false;
    out = value.kind == ValueKind::absent ? default_value : value.boolean;
    return true;
  }
  bool option_text(Bytes field, Bytes& out) {
    Value value;
    if (!read_option(ValueKind::text, field, "a string", value)) return false;
    out = value.kind == ValueKind::absent ? Bytes() : value.text;
    return true;
  }
  // An integer from 0 to 2^53; absent: 0.
  bool option_integer(Bytes field, std::uint64_t& out) { return option_from(0, field, out); }
  // An integer from 1 to 2^53; absent: 0.
  bool option_id(Bytes field, std::uint64_t& out) { return option_from(1, field, out); }
  // One of `names`, which stand for the first values of `Choice`; any other string stands for
  // `unknown`.
  template <class Choice, std::size_t count>
  bool option_choice(Bytes field, const Bytes (&names)[count], Choice default_value, Choice& out) {
    static_assert(static_cast<std::size_t>(Choice::unknown) == count);
    Value value;
    if (!read_option(ValueKind::text, field, "a string", value)) return false;
    out = default_value;
    if (value.kind == ValueKind::absent) return true;
    std::size_t found = 0;
    while (found < count && value.text != names[found]) ++found;
    out = static_cast<Choice>(found);
    return true;
  }
  // A list of strings or ids, kept as it is written; absent: empty.
  bool option_text_list(Bytes field, Bytes& raw) {
    return option_list(field, "a list of strings", raw,
                       [](const Value& value) { return value.kind == ValueKind::text; });
  }
  bool option_id_list(Bytes field, Bytes& raw) {
    return option_list(field, "a list of integers from 1 to 2^53", raw, [](const Value& value) {
      return value.kind == ValueKind::integer && value.integer >= 1 && value.integer <= kIdMax;
    });
  }
  // A dict, kept as it is written; absent: empty.
  bool option_dict(Bytes field, Bytes& raw) {
    raw = {};
    if (scanner_.peek() == ValueKind::absent) return skip_value();
    return dict_value(field, raw, [this](Bytes) { return skip_value(); });
  }
  // A dict, entry by entry; `present` tells whether it is there.
  template <class Entry>
  bool option_dict(Bytes field, bool& present, Entry entry) {
    present = scanner_.peek() != ValueKind::absent;
    Bytes raw;
    return present ? dict_value(field, raw, std::move(entry)) : skip_value();
  }
  bool skip_value() { return scanner_.skip() || broken(); }

  // "PUBLISH.Options.match must be <what>": `field` within the dict that is being read, if any.
  // Returns false.
  bool wrong_value(Bytes field, const char* what) {
    std::string path(field);
    for (const Place* place = place_; place != nullptr; place = place->outer)
      path.insert(0, ".").insert(0, place->dict);
    std::string text(shape_->name);
    return say(text.append(".").append(path).append(" must be ").append(what));
  }

  std::string take_violation() { return std::move(violation_); }

 private:
  // The dict that is being read, and the ones around it. Lies on the stack, so it costs nothing
  // where nothing is wrong.
  struct Place {
    Bytes dict;
    const Place* outer;
  };

  bool say(std::string violation) {
    violation_ = std::move(violation);
    return false;
  }
  bool failed() const { return scanner_.failure().fault != ScanFault::none; }
  bool broken() { return say(describe_failure(scanner_.failure(), serializer_)); }
  bool broken_or(const char* otherwise) { return failed() ? broken() : say(otherwise); }
  bool not_of_kind(const char* text) { return scanner_.skip() ? say(text) : broken(); }

  // wrong_value() of what is still to be read.
  bool wrong_type(Bytes field, const char* what) {
    // The element may be of no type at all, and then that is what is wrong.
    if (!failed() && !scanner_.skip()) return broken();
    return wrong_value(field, what);
  }

  bool wrong_count(const char* comparison, unsigned count) {
    std::string text(shape_->name);
    text.append(" has ").append(comparison).append(*comparison == '\0' ? "" : " ");
    text.append(std::to_string(count)).append(" elements, expected ");
    text.append(std::to_string(shape_->elements_min));
    if (shape_->elements_max != shape_->elements_min)
      text.append(" to ").append(std::to_string(shape_->elements_max));
    return say(std::move(text));
  }

  // On to the next required element.
  bool next() {
    if (scanner_.next_element(elements_)) {
      ++elements_read_;
      return true;
    }
    return failed() ? broken() : wrong_count("", elements_read_);
  }

  // On to the next optional element. False if there is none, and on failure.
  bool next_trailing() {
    if (ended_) return false;
    ended_ = !scanner_.next_element(elements_);
    if (!ended_) ++elements_read_;
    return !ended_;
  }

  Bytes since(const char* start) const {
    return Bytes(start, static_cast<std::size_t>(scanner_.place() - start));
  }

  bool read_as(ValueKind kind, Bytes field, const char* what, Value& value) {
    if (!scanner_.read(value)) return broken();
    return value.kind == kind || wrong_value(field, what);
  }
  bool read_option(ValueKind kind, Bytes field, const char* what, Value& value) {
    if (!scanner_.read(value)) return broken();
    return value.kind == kind || value.kind == ValueKind::absent || wrong_value(field, what);
  }

  static const char* range_from(std::uint64_t lowest) {
    return lowest == 0 ? "an integer from 0 to 2^53" : "an integer from 1 to 2^53";
  }
  bool integer_from(std::uint64_t lowest, Bytes field, std::uint64_t& out) {
    Value value;
    if (!read_as(ValueKind::integer, field, range_from(lowest), value)) return false;
    out = value.integer;
    return (out >= lowest && out <= kIdMax) || wrong_value(field, range_from(lowest));
  }
  bool option_from(std::uint64_t lowest, Bytes field, std::uint64_t& out) {
    out = 0;
    if (scanner_.peek() == ValueKind::absent) return skip_value();
    return integer_from(lowest, field, out);
  }

  template <class Fits>
  bool option_list(Bytes field, const char* what, Bytes& raw, Fits fits) {
    raw = {};
    const ValueKind kind = scanner_.peek();
    if (kind == ValueKind::absent) return skip_value();
    if (kind != ValueKind::list) return wrong_type(field, what);
    const char* const start = scanner_.place();
    ScanCursor cursor;
    if (!scanner_.enter_list(cursor)) return broken();
    while (scanner_.next_element(cursor)) {
      Value value;
      if (!scanner_.read(value)) return broken();
      if (!fits(value)) return wrong_value(field, what);
    }
    if (failed()) return broken();
    raw = since(start);
    return true;
  }

  template <class Entry>
  bool dict_value(Bytes field, Bytes& raw, Entry entry) {
    if (scanner_.peek() != ValueKind::dict) return wrong_type(field, "a dict");
    const char* const start = scanner_.place();
    ScanCursor cursor;
    if (!scanner_.enter_dict(cursor)) return broken();
    const Place place{field, place_};
    place_ = &place;
    const bool read = entries(cursor, std::move(entry));
    place_ = place.outer;
    if (!read) return false;
    raw = since(start);
    return true;
  }

  template <class Entry>
  bool entries(ScanCursor& cursor, Entry entry) {
    Value key;
    while (scanner_.next_entry(cursor, key)) {
      if (key.kind != ValueKind::text) return wrong_key();
      if (!entry(key.text)) return false;
    }
    return !failed() || broken();
  }

  // Names the dict itself.
  bool wrong_key() {
    const Place& inner = *place_;
    place_ = inner.outer;
    return wrong_value(inner.dict, "a dict with strings as keys");
  }

  // An optional element at the end. Null counts as absent.
  bool trailing(ValueKind kind, Bytes field, const char* what, Bytes& raw, bool& empty) {
    if (!next_trailing()) return !failed() || broken();
    const ValueKind found = scanner_.peek();
    if (found != kind && found != ValueKind::absent) return wrong_type(field, what);
    if (!scanner_.slice(raw, empty)) return broken();
    if (found == ValueKind::absent) raw = {};
    return true;
  }

  Scanner& scanner_;
  Serializer serializer_;
  const MessageShape* shape_ = nullptr;
  ScanCursor elements_;
  unsigned elements_read_ = 0;
  bool ended_ = false;            // true once the end of the message's list was consumed
  const Place* place_ = nullptr;  // null outside of dicts
  std::string violation_;
};

}  // namespace ringcast::wire
