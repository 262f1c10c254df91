#include "client/bench/rpc_traffic.h"

#include <fmt/format.h>

#include <limits>
#include <utility>
#include <variant>

#include "client/bench/clock.h"
#include "wire/encode.h"

namespace ringcast::bench {
namespace {

using client::Failure;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

RpcTraffic::RpcTraffic(const FanoutOptions& options, LinkPool& pool, MaskSource& masks,
                       std::uint32_t callers, std::uint32_t callees, std::uint32_t run)
    : options_(options),
      pool_(pool),
      masks_(masks),
      run_(run),
      serializer_(serializer_of(options.protocol)),
      codec_(options.protocol),
      decoder_(serializer_),
      callers_(callers),
      callees_(callees),
      live_callers_(callers) {
  for (Caller& caller : callers_) caller.sequences.resize(options.callees);
  for (Callee& callee : callees_) callee.order.resize(options.callers);
  for (std::uint32_t i = 0; i < options.callees; ++i)
    procedures_.push_back(fmt::format("bench.rpc.{:08x}.{}", run, i));
  args_ = codec_.only_argument_front(options.payload_bytes);
  payload_at_ = args_.size();
  args_.append(options.payload_bytes, 'x');
  args_ += codec_.only_argument_back();
}

void RpcTraffic::register_procedures() {
  for (std::uint32_t i = 0; i < callees_.size(); ++i) {
    message_.clear();
    wire::append_register(message_, serializer_, 1, {}, procedures_[i]);
    Link& link = pool_.at(callers_.size() + i);
    send(link);
    link.flush();
  }
}

// ---- Callers ----

void RpcTraffic::start(std::int64_t now) {
  started_ns_ = last_progress_ns_ = now;
  running_ = true;
  if (!options_.windowed()) return;
  for (std::uint32_t i = 0; i < callers_.size(); ++i) {
    fill_window(i, now);
    pool_.at(i).flush();
  }
}

void RpcTraffic::fill_window(std::uint32_t caller, std::int64_t now) {
  while (running_ && !callers_[caller].dead && callers_[caller].in_flight < options_.window)
    call(caller, now);
}

// By the schedule, whatever the server does meanwhile: what waits for a socket has begun to wait
// when it was due.
void RpcTraffic::call_due() {
  while (running_ && next_due_ns() <= now_ns()) {
    const std::int64_t due = next_due_ns();
    const auto caller = static_cast<std::uint32_t>(rate_index_++ % callers_.size());
    if (callers_[caller].dead) continue;
    call(caller, due);
    pool_.at(caller).flush();
  }
}

std::int64_t RpcTraffic::next_due_ns() const {
  if (options_.windowed() || !running_ || callers_.empty()) return kNever;
  return started_ns_ +
         static_cast<std::int64_t>(static_cast<double>(rate_index_) * 1e9 / options_.rate_per_s);
}

void RpcTraffic::measure(std::int64_t from_ns, std::int64_t to_ns) {
  measured_from_ns_ = from_ns;
  measured_to_ns_ = to_ns;
}

void RpcTraffic::call(std::uint32_t index, std::int64_t intended_ns) {
  Caller& caller = callers_[index];
  Call next;
  next.intended_ns = intended_ns;
  next.callee = static_cast<std::uint32_t>((caller.made + index) % options_.callees);
  next.sequence = caller.sequences[next.callee]++;
  const std::uint64_t request = ++caller.made;
  Stamp stamp;
  stamp.sequence = next.sequence;
  stamp.intended_ns = intended_ns;
  stamp.run = run_;
  stamp.publisher = static_cast<std::uint16_t>(index);
  stamp.topic = static_cast<std::uint16_t>(next.callee);
  write_stamp(args_.data() + payload_at_, options_.payload_bytes, stamp_form(options_.protocol),
              stamp);
  message_.clear();
  wire::append_call(message_, serializer_, request, {}, procedures_[next.callee], {args_, {}});
  send(pool_.at(index));
  caller.open.push_back(next);
  ++caller.in_flight;
  ++open_;
}

std::optional<RpcTraffic::Call> RpcTraffic::settle(Caller& caller, std::uint64_t request,
                                                   std::int64_t now) {
  if (request == 0 || request > caller.made) {
    ++counts_.misdelivered;  // another's answer
    return std::nullopt;
  }
  if (request < caller.first_open || caller.open[request - caller.first_open].answered) {
    ++counts_.duplicate;
    return std::nullopt;
  }
  Call& call = caller.open[request - caller.first_open];
  call.answered = true;
  const Call settled = call;
  while (!caller.open.empty() && caller.open.front().answered) {
    caller.open.pop_front();
    ++caller.first_open;
  }
  --caller.in_flight;
  --open_;
  last_progress_ns_ = now;
  return settled;
}

void RpcTraffic::on_result(Caller& caller, const wire::Result& result, std::int64_t now) {
  const auto call = settle(caller, result.request, now);
  if (!call) return;
  ++answered_;
  Stamp stamp;
  if (!check_stamp(result.payload.args, stamp)) return;
  const auto index = static_cast<std::size_t>(&caller - callers_.data());
  if (stamp.publisher != index || stamp.topic != call->callee || stamp.sequence != call->sequence ||
      stamp.intended_ns != call->intended_ns || result.details.progress) {
    ++counts_.misdelivered;  // the answer of another call
    return;
  }
  if (call->intended_ns >= measured_from_ns_ && call->intended_ns < measured_to_ns_)
    latency_.record(now - call->intended_ns);
}

void RpcTraffic::on_error(Link& link, const wire::Error& error, std::int64_t now) {
  if (!is_caller(link)) {
    failure_ = Failure{Failure::Kind::refused,
                       fmt::format("the server refused a registration: {}", error.error),
                       "check that --realm lets anybody register bench.rpc.*"};
    return;
  }
  if (!settle(callers_[link.index], error.request, now)) return;
  ++errors_;
  if (first_error_.empty()) first_error_ = error.error;
}

void RpcTraffic::finish() { counts_.lost += open_; }

// ---- Callees ----

void RpcTraffic::on_registered(Link& link) {
  if (is_caller(link) || registered()) {
    ++counts_.misdelivered;
  } else {
    ++registered_;
  }
}

void RpcTraffic::on_invocation(Link& link, const wire::Invocation& invocation) {
  message_.clear();
  wire::append_yield(message_, serializer_, invocation.request, {}, invocation.payload);
  send(link);  // whatever is wrong with it: the caller is to hear of it
  Stamp stamp;
  if (is_caller(link)) {
    ++counts_.misdelivered;
  } else if (check_stamp(invocation.payload.args, stamp)) {
    if (stamp.topic != callee_of(link) || stamp.publisher >= options_.callers) {
      ++counts_.misdelivered;
    } else {
      callees_[callee_of(link)].order[stamp.publisher].arrive(stamp.sequence, 1, counts_);
    }
  }
}

// ---- Both ----

bool RpcTraffic::check_stamp(wire::Bytes args, Stamp& stamp) {
  if (!read_stamp(codec_.only_argument(args), stamp_form(options_.protocol), stamp)) {
    ++counts_.corrupt;
    return false;
  }
  if (stamp.run == run_) return true;
  ++counts_.foreign;
  return false;
}

std::size_t RpcTraffic::on_bytes(Link& link, wire::Bytes bytes, std::int64_t now) {
  const auto result =
      link.frames.scan(bytes.data(), bytes.size(), [&](wire::Opcode opcode, wire::Bytes payload) {
        on_message(link, opcode, payload, now);
        return link.fd >= 0;
      });
  if (result.violation != nullptr && link.fd >= 0) end(link, result.violation);
  if (link.fd < 0) return result.consumed;
  if (is_caller(link) && options_.windowed()) fill_window(link.index, now);
  link.flush();
  return result.consumed;
}

void RpcTraffic::on_message(Link& link, wire::Opcode opcode, wire::Bytes payload,
                            std::int64_t now) {
  if (opcode == wire::Opcode::ping) {
    link.send_frame(wire::Opcode::pong, payload, masks_.next());
  } else if (opcode == wire::Opcode::close) {
    end(link, fmt::format("closed by the server: {}", close_text(payload)));
  } else if (opcode == data_opcode(options_.protocol)) {
    on_wamp(link, payload, now);
  } else if (opcode == wire::Opcode::text || opcode == wire::Opcode::binary) {
    ++counts_.corrupt;
  }
}

void RpcTraffic::on_wamp(Link& link, wire::Bytes bytes, std::int64_t now) {
  const wire::DecodeResult& decoded = decoder_.decode(bytes);
  const auto* message = std::get_if<wire::Message>(&decoded);
  if (message == nullptr) {
    ++counts_.corrupt;
  } else if (const auto* result = std::get_if<wire::Result>(message)) {
    if (!is_caller(link)) {
      ++counts_.misdelivered;
    } else {
      on_result(callers_[link.index], *result, now);
    }
  } else if (const auto* invocation = std::get_if<wire::Invocation>(message)) {
    on_invocation(link, *invocation);
  } else if (const auto* error = std::get_if<wire::Error>(message)) {
    on_error(link, *error, now);
  } else if (std::holds_alternative<wire::Registered>(*message)) {
    on_registered(link);
  } else if (!std::holds_alternative<wire::Goodbye>(*message) &&
             !std::holds_alternative<wire::Abort>(*message)) {  // after those comes a close
    ++counts_.misdelivered;
  }
}

void RpcTraffic::send(Link& link) {
  link.send_frame(data_opcode(options_.protocol), message_, masks_.next());
}

void RpcTraffic::end(Link& link, const std::string& why) {
  link.close();
  on_gone(link, why);
}

// What a caller had open is lost; what it had not been answered for a callee's end, too, unless the
// server says so with an ERROR.
void RpcTraffic::on_gone(Link& link, const std::string& why) {
  ++disconnects_;
  if (first_disconnect_.empty()) {
    first_disconnect_ = fmt::format("{} {}: {}", is_caller(link) ? "caller" : "callee",
                                    is_caller(link) ? link.index : callee_of(link), why);
  }
  if (!is_caller(link)) return;
  Caller& caller = callers_[link.index];
  if (std::exchange(caller.dead, true)) return;
  --live_callers_;
  counts_.lost += caller.in_flight;
  open_ -= caller.in_flight;
  caller.in_flight = 0;
}

}  // namespace ringcast::bench
