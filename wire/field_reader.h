// Reads the elements of one WAMP message in order and says what is wrong with the first that is not
// as it must be. Knows types, not messages; message_reader.h puts it to use for each message.
// Internal to wire/.
//
// Every read returns false once something is wrong; violation() then tells what.
#pragma once

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

  bool id(const char* field, std::uint64_t& out) { return integer_from(1, field, out); }
  bool id_or_zero(const char* field, std::uint64_t& out) { return integer_from(0, field, out); }

  bool text(const char* field, Bytes& out) {
    Value value;
    if (!next() || !read_as(ValueKind::text, field, "a string", value)) return false;
    out = value.text;
    return true;
  }

  // A dict of which no key is known.
  bool dict(const char* field, Bytes& raw) {
    return dict(field, raw, [this](Bytes) { return skip_value(); });
  }

  // A dict: `entry(key)` reads the value of each entry, by option_*() or skip_value().
  template <class Entry>
  bool dict(const char* field, Bytes& raw, Entry entry) {
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
  bool trailing_dict(const char* field, Bytes& raw) {
    bool empty = false;
    return trailing(ValueKind::dict, field, "a dict", raw, empty);
  }

  // Values of a dict's entries. Absent (null) leaves the default.
  bool option_bool(const char* field, bool default_value, bool& out) {
    Value value;
    if (!read_option(ValueKind::boolean, field, "a boolean", value)) return false;
    out = value.kind == ValueKind::absent ? default_value : value.boolean;
    return true;
  }
  bool option_text(const char* field, Bytes& out) {
    Value value;
    if (!read_option(ValueKind::text, field, "a string", value)) return false;
    out = value.kind == ValueKind::absent ? Bytes() : value.text;
    return true;
  }
  // A dict; `present` tells whether it is there. Its content is skipped.
  bool option_dict(const char* field, bool& present) {
    const ValueKind kind = scanner_.peek();
    present = kind == ValueKind::dict;
    if (!present && kind != ValueKind::absent) return wrong_type(field, "a dict");
    return skip_value();
  }
  // A dict, entry by entry.
  template <class Entry>
  bool option_dict(const char* field, Entry entry) {
    Bytes raw;
    return dict_value(field, raw, std::move(entry));
  }
  // A list of strings, kept as it is written.
  bool option_text_list(const char* field, Bytes& raw) {
    raw = {};
    const ValueKind kind = scanner_.peek();
    if (kind == ValueKind::absent) return skip_value();
    if (kind != ValueKind::list) return wrong_type(field, "a list of strings");
    const char* const start = scanner_.place();
    ScanCursor cursor;
    if (!scanner_.enter_list(cursor)) return broken();
    while (scanner_.next_element(cursor)) {
      Value value;
      if (!read_as(ValueKind::text, field, "a list of strings", value)) return false;
    }
    if (failed()) return broken();
    raw = since(start);
    return true;
  }
  bool skip_value() { return scanner_.skip() || broken(); }

  // "PUBLISH.Options.match must be <what>". Returns false.
  bool wrong_type(const char* field, const char* what) {
    // The element may be of no type at all, and then that is what is wrong.
    if (!failed() && !scanner_.skip()) return broken();
    return wrong_value(field, what);
  }
  bool wrong_value(const char* field, const char* what) {
    std::string text(shape_->name);
    return say(text.append(".").append(field).append(" must be ").append(what));
  }

  std::string take_violation() { return std::move(violation_); }

 private:
  bool say(std::string violation) {
    violation_ = std::move(violation);
    return false;
  }
  bool failed() const { return scanner_.failure().fault != ScanFault::none; }
  bool broken() { return say(describe_failure(scanner_.failure(), serializer_)); }
  bool broken_or(const char* otherwise) { return failed() ? broken() : say(otherwise); }
  bool not_of_kind(const char* text) { return scanner_.skip() ? say(text) : broken(); }

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

  Bytes since(const char* start) const {
    return Bytes(start, static_cast<std::size_t>(scanner_.place() - start));
  }

  bool read_as(ValueKind kind, const char* field, const char* what, Value& value) {
    if (!scanner_.read(value)) return broken();
    return value.kind == kind || wrong_value(field, what);
  }
  bool read_option(ValueKind kind, const char* field, const char* what, Value& value) {
    if (!scanner_.read(value)) return broken();
    return value.kind == kind || value.kind == ValueKind::absent || wrong_value(field, what);
  }

  bool integer_from(std::uint64_t lowest, const char* field, std::uint64_t& out) {
    const char* const what =
        lowest == 0 ? "an integer from 0 to 2^53" : "an integer from 1 to 2^53";
    Value value;
    if (!next() || !read_as(ValueKind::integer, field, what, value)) return false;
    if (value.integer < lowest || value.integer > kIdMax) return wrong_value(field, what);
    out = value.integer;
    return true;
  }

  template <class Entry>
  bool dict_value(const char* field, Bytes& raw, Entry entry) {
    if (scanner_.peek() != ValueKind::dict) return wrong_type(field, "a dict");
    const char* const start = scanner_.place();
    ScanCursor cursor;
    if (!scanner_.enter_dict(cursor)) return broken();
    Value key;
    while (scanner_.next_entry(cursor, key)) {
      if (key.kind != ValueKind::text) return wrong_value(field, "a dict with strings as keys");
      if (!entry(key.text)) return false;
    }
    if (failed()) return broken();
    raw = since(start);
    return true;
  }

  // An optional element at the end. Null counts as absent.
  bool trailing(ValueKind kind, const char* field, const char* what, Bytes& raw, bool& empty) {
    if (ended_) return true;
    if (!scanner_.next_element(elements_)) {
      ended_ = true;
      return !failed() || broken();
    }
    ++elements_read_;
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
  bool ended_ = false;  // true once the end of the message's list was consumed
  std::string violation_;
};

}  // namespace ringcast::wire
