#include "worker/queries.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "worker/options.h"
#include "worker/random_seed.h"

namespace ringcast::worker {

Queries::Queries(ring::Segment& segment, std::uint32_t self, Peers& peers, QueryServer& server)
    : counters_(segment.block(self).counters),
      self_(self),
      peers_(peers),
      server_(server),
      next_token_(random_seed()) {}

bool Queries::ask(std::uint64_t workers, QueryKind kind, std::uint16_t realm,
                  std::string_view request, Done done) {
  if (pending_.size() >= kPendingMax) return false;
  const std::uint64_t others = workers & peers_.live();
  for (std::uint64_t left = others; left != 0; left &= left - 1) {
    const auto to = static_cast<std::uint32_t>(std::countr_zero(left));
    if (peers_.control_backlog(to) >= kControlBacklogMax) return false;
  }
  const std::uint64_t token = next_token_++;
  Pending& pending = pending_[token];
  for (std::uint64_t left = workers; left != 0; left &= left - 1) {
    pending.replies.push_back({.worker = static_cast<std::uint32_t>(std::countr_zero(left)),
                               .result = QueryResult::lost,
                               .bytes = {}});
  }
  pending.awaited = workers & everybody();
  pending.asked_ms = now_;
  pending.done = std::move(done);
  if (pending.awaited == 0) {
    finish(token);
    return true;
  }
  for (std::uint64_t left = others; left != 0; left &= left - 1) {
    peers_.send(static_cast<std::uint32_t>(std::countr_zero(left)),
                {.kind = ring::DescriptorKind::query,
                 .realm = realm,
                 .argument = static_cast<std::uint32_t>(kind),
                 .token = token},
                std::string(request));
  }
  if ((workers >> self_ & 1) != 0) {
    serve({.from = self_,
           .token = token,
           .kind = kind,
           .realm = realm,
           .request = std::string(request)});
  }
  return true;
}

void Queries::on_query(std::uint32_t from, const ring::Descriptor& descriptor,
                       std::string_view request) {
  serve({.from = from,
         .token = descriptor.token,
         .kind = static_cast<QueryKind>(descriptor.argument),
         .realm = descriptor.realm,
         .request = std::string(request)});
}

// In the order asked.
void Queries::serve(const Question& question) {
  if (!deferred_.empty() || !try_serve(question)) deferred_.push_back(question);
}

bool Queries::try_serve(const Question& question) {
  const bool rings_behind = peers_.control_bytes() > kControlBytesMax / 2;
  if (served_bytes_ >= kServedBytesMax || (rings_behind && question.from != self_)) return false;
  std::string reply;
  if (!server_.serve_query(question.kind, question.realm, question.request, reply)) return false;
  served_bytes_ += std::max(reply.size(), kServedBytesLeast);
  auto result = QueryResult::answered;
  if (reply.size() > kReplyBytesMax) {
    result = QueryResult::too_large;
    reply.clear();
  }
  if (question.from == self_) {
    take(question.token, {.worker = self_, .result = result, .bytes = std::move(reply)});
  } else {
    peers_.send(question.from,
                {.kind = ring::DescriptorKind::query_reply,
                 .argument = static_cast<std::uint32_t>(result),
                 .token = question.token},
                std::move(reply));
  }
  return true;
}

void Queries::retry() {
  served_bytes_ = 0;
  while (!deferred_.empty()) {
    const Question question = std::move(deferred_.front());
    deferred_.pop_front();
    if (try_serve(question)) continue;
    deferred_.push_front(question);
    return;
  }
}

void Queries::on_reply(std::uint32_t from, const ring::Descriptor& descriptor,
                       std::string_view bytes) {
  if (descriptor.argument > static_cast<std::uint32_t>(QueryResult::too_large)) {
    counters_.add(ring::Counter::corrupt_descriptors_dropped);
    return;
  }
  take(descriptor.token, {.worker = from,
                          .result = static_cast<QueryResult>(descriptor.argument),
                          .bytes = std::string(bytes)});
}

void Queries::take(std::uint64_t token, QueryReply reply) {
  const auto found = pending_.find(token);
  const std::uint64_t from = std::uint64_t{1} << reply.worker;
  if (found == pending_.end() || (found->second.awaited & from) == 0) {
    counters_.add(ring::Counter::stale_frames_dropped);
    return;
  }
  std::vector<QueryReply>& replies = found->second.replies;
  const auto place =
      std::find_if(replies.begin(), replies.end(),
                   [&reply](const QueryReply& other) { return other.worker == reply.worker; });
  *place = std::move(reply);
  found->second.awaited &= ~from;
  if (found->second.awaited == 0) finish(token);
}

// Out of the table first: the callback may ask again.
void Queries::finish(std::uint64_t token) {
  const auto found = pending_.find(token);
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  pending.done(pending.replies);
}

void Queries::on_worker_lost(std::uint32_t worker) {
  std::erase_if(deferred_, [worker](const Question& q) { return q.from == worker; });
  const std::uint64_t gone = std::uint64_t{1} << worker;
  std::vector<std::uint64_t> complete;
  for (auto& [token, pending] : pending_) {
    if ((pending.awaited & gone) == 0) continue;
    pending.awaited &= ~gone;
    if (pending.awaited == 0) complete.push_back(token);
  }
  for (const std::uint64_t token : complete) finish(token);
}

void Queries::expire(TimeMs now) {
  now_ = now;
  std::vector<std::uint64_t> late;
  for (const auto& [token, pending] : pending_) {
    if (now - pending.asked_ms >= kTimeoutMs) late.push_back(token);
  }
  for (const std::uint64_t token : late) finish(token);
}

}  // namespace ringcast::worker
