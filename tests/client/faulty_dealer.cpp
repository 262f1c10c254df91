#include "tests/client/faulty_dealer.h"

#include <chrono>
#include <thread>
#include <utility>

#include "wire/encode.h"

namespace ringcast::test {
namespace {

constexpr std::uint64_t kEvery = 10;
constexpr std::uint64_t kTimes = 5;

}  // namespace

FaultyDealer::FaultyDealer(wire::Serializer serializer, CallFault fault)
    : serializer_(serializer), fault_(fault), decoder_(serializer) {
  WsServer::Script script;
  script.subprotocol = [this](const wire::UpgradeRequest&) {
    return std::string(wire::subprotocol_name(serializer_));
  };
  script.on_message = [this](WsServer&, WsServer::Peer& from, wire::Opcode, wire::Bytes bytes) {
    on_message(from, bytes);
  };
  server_ = std::make_unique<WsServer>(std::move(script));
}

void FaultyDealer::on_message(WsServer::Peer& from, wire::Bytes bytes) {
  const auto decoded = decoder_.decode(bytes);
  const auto* message = std::get_if<wire::Message>(&decoded);
  if (message == nullptr) return from.close(1002, "not WAMP");
  std::string reply;
  if (std::holds_alternative<wire::Hello>(*message)) {
    wire::append_welcome(reply, serializer_, 4711, {});
  } else if (const auto* registration = std::get_if<wire::Register>(message)) {
    procedures_[std::string(registration->procedure)] = from.number;
    callees_.push_back(from.number);
    if (fault_ == CallFault::refuse_register) {
      ++faults_;
      wire::append_error(reply, serializer_, wire::MessageType::register_, registration->request,
                         "wamp.error.not_authorized", "no");
    } else {
      wire::append_registered(reply, serializer_, registration->request, callees_.size());
    }
  } else if (const auto* call = std::get_if<wire::Call>(message)) {
    return on_call(from, *call);
  } else if (const auto* yield = std::get_if<wire::Yield>(message)) {
    return on_yield(*yield);
  } else {
    wire::append_goodbye(reply, serializer_, "wamp.close.goodbye_and_out", {});
  }
  from.send(wire::frame_opcode(serializer_), reply);
}

bool FaultyDealer::of_calls() const {
  return fault_ == CallFault::drop_call || fault_ == CallFault::duplicate_call ||
         fault_ == CallFault::swap_calls || fault_ == CallFault::flip_call ||
         fault_ == CallFault::other_callee;
}

bool FaultyDealer::due() {
  const std::uint64_t times =
      fault_ == CallFault::fall_silent || fault_ == CallFault::pause ? 1 : kTimes;
  if (++considered_ % kEvery != 0 || faults_ == times) return false;
  ++faults_;
  return true;
}

void FaultyDealer::on_call(WsServer::Peer& from, const wire::Call& call) {
  const std::uint64_t callee = procedures_.find(call.procedure)->second;
  const std::uint64_t invocation = ++invocations_;
  const std::string args(call.payload.args);
  requests_[from.number] = call.request;
  open_[invocation] = {from.number, call.request};
  const auto held = std::exchange(held_call_, std::nullopt);
  if (!of_calls() || held || !due()) {
    invoke(callee, invocation, args);
  } else if (fault_ == CallFault::duplicate_call) {
    invoke(callee, invocation, args);
    invoke(callee, invocation, args);
  } else if (fault_ == CallFault::swap_calls) {
    held_call_ = {invocation, args};
  } else if (fault_ == CallFault::flip_call) {
    invoke(callee, invocation, flipped(args));
  } else if (fault_ == CallFault::other_callee) {
    invoke(callee == callees_[0] ? callees_[1] : callees_[0], invocation, args);
  }
  if (held) invoke(callee, held->first, held->second);
}

void FaultyDealer::on_yield(const wire::Yield& yield) {
  const auto open = open_.extract(yield.request);
  if (open.empty()) return;  // the second answer to duplicate_call
  const std::string args(yield.payload.args);
  if (silent_) {
    ++faults_;
  } else if (held_) {
    const Held held = *std::exchange(held_, std::nullopt);
    answer(held.open, args);
    answer(open.mapped(), held.args);
  } else if (of_calls() || fault_ == CallFault::none || !due()) {
    answer(open.mapped(), args);
  } else {
    answer_wrongly(open.mapped(), args);
  }
}

void FaultyDealer::answer_wrongly(const Open& open, const std::string& args) {
  std::string error;
  switch (fault_) {
    case CallFault::duplicate_answer:
      answer(open, args);
      return answer(open, args);
    case CallFault::swap_answers:
      held_ = Held{open, args};
      return;
    case CallFault::flip_answer:
      return answer(open, flipped(args));
    case CallFault::other_caller:
      answer(open, args);
      for (const auto& [caller, request] : requests_) {
        if (caller != open.caller) return answer({caller, request + 1'000'000}, args);
      }
      return;
    case CallFault::stray_answer:
      answer(open, args);
      return answer({open.caller, open.request + 1'000'000}, args);
    case CallFault::error:
      wire::append_error(error, serializer_, wire::MessageType::call, open.request,
                         "com.example.no", "no");
      return send(open.caller, error);
    case CallFault::fall_silent:
      silent_ = true;
      return;
    case CallFault::pause:
      std::this_thread::sleep_for(std::chrono::seconds(1));
      return answer(open, args);
    default:  // drop_answer
      return;
  }
}

void FaultyDealer::invoke(std::uint64_t callee, std::uint64_t invocation, const std::string& args) {
  std::string message;
  wire::append_invocation(message, serializer_, invocation, 1, {}, {args, {}});
  send(callee, message);
}

void FaultyDealer::answer(const Open& open, const std::string& args) {
  std::string message;
  wire::append_result(message, serializer_, open.request, {}, {args, {}});
  send(open.caller, message);
}

void FaultyDealer::send(std::uint64_t number, const std::string& message) {
  for (WsServer::Peer* peer : server_->peers()) {
    if (peer->number == number) return peer->send(wire::frame_opcode(serializer_), message);
  }
}

// In the padding: in front of it stands the stamp, behind it the end of the JSON.
std::string FaultyDealer::flipped(std::string args) const {
  char& c = args[args.size() - 4];
  c = static_cast<char>(c ^ 1);
  return args;
}

}  // namespace ringcast::test
