// Writes a value piece by piece in either serializer, to the end of a string: messages
// (wire/encode.h) and the payloads that a router makes itself. The caller states how many elements
// or entries follow each opening, and closes what it opened; DictWriter counts by itself. Views
// are copied at once. Values; one thread at a time.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "wire/message.h"
#include "wire/serializer.h"
#include "wire/value_writer.h"

namespace ringcast::wire {

class Writer {
 public:
  // `out` outlives the writer and is written by nobody else meanwhile.
  Writer(std::string& out, Serializer serializer)
      : out_(out), json_(serializer == Serializer::json) {}

  void integer(std::uint64_t value) {
    separate();
    json_ ? append_json_integer(out_, value) : append_msgpack_integer(out_, value);
  }
  // Valid UTF-8.
  void text(Bytes value) {
    separate();
    json_ ? append_json_text(out_, value) : append_msgpack_text(out_, value);
  }
  void boolean(bool value) {
    separate();
    if (json_) {
      out_.append(value ? "true" : "false");
    } else {
      out_.push_back(static_cast<char>(value ? 0xC3 : 0xC2));
    }
  }
  void null() {
    separate();
    json_ ? out_.append("null") : out_.append("\xC0");
  }
  // A value in this serializer already.
  void serialized(Bytes value) {
    separate();
    out_.append(value);
  }
  void open_list(std::size_t count) {
    separate();
    json_ ? out_.push_back('[') : append_msgpack_list(out_, count);
    first_ = true;
  }
  void close_list() { close(']'); }
  void open_dict(std::size_t count) {
    separate();
    json_ ? out_.push_back('{') : append_msgpack_map(out_, count);
    first_ = true;
  }
  void close_dict() { close('}'); }
  // The value follows.
  void key(Bytes name) {
    text(name);
    if (json_) out_.push_back(':');
    first_ = true;
  }
  // The elements at the end of a message; nothing if both are empty.
  void payload(const Payload& payload) {
    if (payload.args.empty() && payload.kwargs.empty()) return;
    if (payload.args.empty()) {
      open_list(0);
      close_list();
    } else {
      serialized(payload.args);
    }
    if (!payload.kwargs.empty()) serialized(payload.kwargs);
  }

 private:
  friend class DictWriter;

  void separate() {
    if (json_ && !first_) out_.push_back(',');
    first_ = false;
  }
  void close(char bracket) {
    if (json_) out_.push_back(bracket);
    first_ = false;
  }

  std::string& out_;
  bool json_;
  bool first_ = true;  // true while no comma is due before the next value
};

// A dict with as many entries as are written before close(), at most fifteen, so that its head is
// one byte in MessagePack too and can be set at the end.
class DictWriter {
 public:
  explicit DictWriter(Writer& writer) : writer_(writer) {
    writer_.open_dict(0);
    head_ = writer_.out_.size() - 1;
  }

  // The value follows, written by the Writer.
  void key(Bytes name) {
    ++count_;
    writer_.key(name);
  }
  void text(Bytes name, Bytes value) {
    key(name);
    writer_.text(value);
  }
  void integer(Bytes name, std::uint64_t value) {
    key(name);
    writer_.integer(value);
  }
  void boolean(Bytes name, bool value) {
    key(name);
    writer_.boolean(value);
  }
  // Entries that are left out where they say nothing: empty text or bytes, 0, false.
  void text_if_any(Bytes name, Bytes value) {
    if (!value.empty()) text(name, value);
  }
  void integer_if_any(Bytes name, std::uint64_t value) {
    if (value != 0) integer(name, value);
  }
  void flag(Bytes name, bool value) {
    if (value) boolean(name, true);
  }
  void serialized_if_any(Bytes name, Bytes value) {
    if (value.empty()) return;
    key(name);
    writer_.serialized(value);
  }

  void close() {
    assert(count_ < 16);
    if (!writer_.json_) writer_.out_[head_] = static_cast<char>(0x80 | count_);
    writer_.close_dict();
  }

 private:
  Writer& writer_;
  std::size_t head_;
  unsigned count_ = 0;
};

}  // namespace ringcast::wire
