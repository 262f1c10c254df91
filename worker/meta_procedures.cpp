#include "worker/meta_procedures.h"

#include <cassert>
#include <utility>

#include "wire/encode.h"
#include "wire/transcode.h"
#include "wire/uri.h"
#include "worker/error_uris.h"

namespace ringcast::worker {
namespace {

// The first byte of a reply says which it is. An error's URI ends with its line: no URI contains
// one.
constexpr char kResult = 'r';
constexpr char kError = 'e';

}  // namespace

void MetaProcedures::add(std::string_view name, Handler handler) {
  [[maybe_unused]] const bool added = handlers_.emplace(name, std::move(handler)).second;
  assert(added && "a procedure is added once");
}

Taken MetaProcedures::call(Connection& connection, const wire::Call& call) {
  const MetaCaller caller{
      .who = connection.id, .request = call.request, .realm = connection.session->realm};
  const auto found = handlers_.find(call.procedure);
  if (found == handlers_.end()) {
    error(caller, wire::uri::kNoSuchProcedure, "the router has no such procedure");
    return Taken::yes;
  }
  if (call.options.progress) {
    error(caller, wire::uri::kOptionNotAllowed, "the router's procedures are called at once");
    return Taken::yes;
  }
  return found->second({connection, caller, MetaArguments(connection.serializer, call.payload)});
}

Connection* MetaProcedures::live(const MetaCaller& caller) {
  Connection* connection = transport_.connections().find(caller.who);
  const bool there = connection != nullptr && connection->session &&
                     connection->session->state == Session::State::established;
  return there ? connection : nullptr;
}

void MetaProcedures::result(const MetaCaller& caller, std::string_view args) {
  if (args.size() > result_bytes_max_) {
    return error(caller, kLimitExceeded, "the result is too long to be sent");
  }
  Connection* connection = live(caller);
  if (connection == nullptr) return;
  out_.clear();
  wire::append_result(out_, connection->serializer, caller.request, {},
                      {.args = args, .kwargs = {}});
  transport_.send_frame(*connection, wire::frame_opcode(connection->serializer), out_);
}

void MetaProcedures::error(const MetaCaller& caller, std::string_view uri,
                           std::string_view message) {
  Connection* connection = live(caller);
  if (connection == nullptr) return;
  out_.clear();
  wire::append_error(out_, connection->serializer, wire::MessageType::call, caller.request, uri,
                     message);
  transport_.send_frame(*connection, wire::frame_opcode(connection->serializer), out_);
}

Taken MetaProcedures::invalid(const MetaCaller& caller, std::string_view message) {
  error(caller, wire::uri::kInvalidArgument, message);
  return Taken::yes;
}

void MetaProcedures::write_result(std::string& reply, std::string_view msgpack_args) {
  reply.append(1, kResult).append(msgpack_args);
}

void MetaProcedures::write_error(std::string& reply, std::string_view uri,
                                 std::string_view message) {
  reply.append(1, kError).append(uri).append(1, '\n').append(message);
}

void MetaProcedures::pass_on(const MetaCaller& caller, const QueryReply& reply) {
  if (reply.result == QueryResult::too_large) {
    return error(caller, kLimitExceeded, "the result is too long to be sent");
  }
  const std::string_view bytes = reply.bytes;
  if (reply.result == QueryResult::lost || bytes.empty()) {
    return error(caller, wire::uri::kNetworkFailure,
                 "the worker that knows is away; call again in a moment");
  }
  const std::string_view body = bytes.substr(1);
  if (bytes.front() == kError) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos) return error(caller, body, {});
    return error(caller, body.substr(0, end), body.substr(end + 1));
  }
  result_from_msgpack(caller, body);
}

void MetaProcedures::result_from_msgpack(const MetaCaller& caller, std::string_view args) {
  Connection* connection = live(caller);
  if (connection == nullptr) return;
  if (connection->serializer == wire::Serializer::msgpack) return result(caller, args);
  transcoded_.clear();
  if (!wire::transcode(wire::Serializer::msgpack, connection->serializer, args, transcoded_)) {
    return error(caller, kPayloadNotTranscodable,
                 "the answer has no form in this session's serializer");
  }
  result(caller, transcoded_);
}

}  // namespace ringcast::worker
