// MessagePack to JSON: token by token, straight to the output.

#include <cmath>
#include <vector>

#include "wire/base64.h"
#include "wire/msgpack_token.h"
#include "wire/transcode.h"
#include "wire/value_writer.h"

namespace ringcast::wire {
namespace {

using Kind = MsgpackToken::Kind;

class JsonFromMsgpack {
 public:
  JsonFromMsgpack(Bytes value, std::string& out)
      : at_(value.data()), end_(at_ + value.size()), out_(out) {}

  bool run() {
    if (!write_value()) return false;
    while (!open_.empty()) {
      Level& level = open_.back();
      if (level.remaining == 0) {
        out_.push_back(level.map ? '}' : ']');
        open_.pop_back();
        continue;
      }
      const bool key = level.map && level.remaining % 2 == 0;
      if ((key || !level.map) && !level.first) out_.push_back(',');
      level.first = false;
      --level.remaining;
      if (!(key ? write_key() : write_value())) return false;
    }
    return at_ == end_;
  }

 private:
  struct Level {
    std::uint64_t
        remaining;  // values still to come; in a map keys count as well, and come when it is even
    bool map;
    bool first = true;
  };

  bool write_value() {
    MsgpackToken token;
    if (read_msgpack_token(at_, end_, token) != nullptr) return false;
    if (token.kind == Kind::list || token.kind == Kind::map) {
      const bool map = token.kind == Kind::map;
      out_.push_back(map ? '{' : '[');
      open_.push_back({std::uint64_t{token.count} * (map ? 2 : 1), map});
      return true;
    }
    write_scalar(token);
    return true;
  }

  // Keys are strings in JSON: other scalars become the text of their JSON form.
  bool write_key() {
    MsgpackToken token;
    if (read_msgpack_token(at_, end_, token) != nullptr) return false;
    if (token.kind == Kind::list || token.kind == Kind::map) return false;
    const bool quoted = is_string(token);
    if (!quoted) out_.push_back('"');
    write_scalar(token);
    out_.append(quoted ? ":" : "\":");
    return true;
  }

  // `undefined`, as some MessagePack libraries write it, is what JSON writers make null of.
  static bool is_undefined(const MsgpackToken& token) {
    return token.kind == Kind::ext && token.ext_type == 0 && token.data.size() == 1;
  }
  static bool is_string(const MsgpackToken& token) {
    return token.kind == Kind::str || token.kind == Kind::bin ||
           (token.kind == Kind::ext && !is_undefined(token));
  }

  void write_scalar(const MsgpackToken& token) {
    switch (token.kind) {
      case Kind::boolean:
        out_.append(token.boolean ? "true" : "false");
        break;
      case Kind::natural:
        append_json_integer(out_, token.integer);
        break;
      case Kind::negative:
        append_json_negative(out_, static_cast<std::int64_t>(token.integer));
        break;
      case Kind::real:
        if (std::isfinite(token.real)) {
          append_json_real(out_, token.real);
        } else {
          out_.append("null");
        }
        break;
      case Kind::str:
        append_json_text(out_, token.data);
        break;
      case Kind::bin:
      case Kind::ext:
        write_binary(token);
        break;
      default:
        out_.append("null");
    }
  }

  void write_binary(const MsgpackToken& token) {
    if (is_undefined(token)) {
      out_.append("null");
      return;
    }
    out_.append("\"\\u0000");
    append_base64(out_, token.data);
    out_.push_back('"');
  }

  const char* at_;
  const char* end_;
  std::string& out_;
  std::vector<Level> open_;
};

}  // namespace

bool msgpack_to_json(Bytes value, std::string& out) { return JsonFromMsgpack(value, out).run(); }

}  // namespace ringcast::wire
