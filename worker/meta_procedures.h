// The procedures below "wamp.": the router's own, answered by the worker of whoever calls them and
// never given to a dealer. This is the list of them and the way of their answers; what each does is
// in the files that add them (worker/registration_meta.h and those beside it).
//
// One per worker thread, used by that thread only, part of its Router.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/message.h"
#include "worker/meta_call.h"
#include "worker/queries.h"
#include "worker/transport.h"

namespace ringcast::worker {

class MetaProcedures {
 public:
  // Answers by result() or error(), once, at any time. `blocked`: nothing has happened, and the
  // same message is offered again later (Taken).
  using Handler = std::function<Taken(const MetaCall&)>;

  // A result of at most so many bytes; a longer one is an ERROR.
  MetaProcedures(Transport& transport, std::size_t result_bytes_max)
      : transport_(transport), result_bytes_max_(result_bytes_max) {}

  // `name` lives as long as this. REQUIRES: it is not there yet.
  void add(std::string_view name, Handler handler);

  // The request id is checked. REQUIRES: wire::uri_reserved(call.procedure).
  Taken call(Connection& connection, const wire::Call& call);

  // Answers. `args` is a list in the serializer of the caller's session; empty for no arguments.
  // Where the session has gone nothing happens.
  void result(const MetaCaller& caller, std::string_view args);
  // The same, from MessagePack.
  void result_from_msgpack(const MetaCaller& caller, std::string_view args);
  void error(const MetaCaller& caller, std::string_view uri, std::string_view message);
  // wamp.error.invalid_argument; for the end of a handler.
  Taken invalid(const MetaCaller& caller, std::string_view message);

  // What another worker has found, as the answer: it wrote a result in MessagePack, or an error.
  void pass_on(const MetaCaller& caller, const QueryReply& reply);
  static void write_result(std::string& reply, std::string_view msgpack_args);
  static void write_error(std::string& reply, std::string_view uri, std::string_view message);

 private:
  Connection* live(const MetaCaller& caller);

  Transport& transport_;
  std::size_t result_bytes_max_;
  std::unordered_map<std::string_view, Handler> handlers_;
  std::string out_;
  std::string transcoded_;
};

}  // namespace ringcast::worker
