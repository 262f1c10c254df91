#include "bench/floor/sender.h"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace ringcast::floor_bench {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

Sender::Sender(const std::vector<int>& sockets, int rounds, std::size_t send_bytes)
    : bytes_(send_bytes, 'x'), left_(sockets.size()) {
  // The flags with which a broker's loop runs: one thread, completions only when it asks.
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CLAMP;
  const auto entries = static_cast<unsigned>(sockets.size() + 1);
  if (const int result = io_uring_queue_init_params(entries, &ring_, &params); result < 0) {
    fail(-result, "io_uring_setup (Linux 6.1 or newer, and not refused by seccomp or sysctl)");
  }
  std::vector<int> files = sockets;
  files.push_back(rounds);
  const int result =
      io_uring_register_files(&ring_, files.data(), static_cast<unsigned>(files.size()));
  if (result < 0) {
    io_uring_queue_exit(&ring_);
    fail(-result, "io_uring_register_files");
  }
}

Sender::~Sender() { io_uring_queue_exit(&ring_); }

void Sender::round() {
  left_.assign(left_.size(), bytes_.size());
  sends_due_ = left_.size();
  round_arrived_ = false;
  prepare_sends();
  // The receiver's word, asked for in the same submission.
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  io_uring_prep_recv(entry, static_cast<int>(left_.size()), &done_, 1, 0);
  entry->flags |= IOSQE_FIXED_FILE;
  entry->user_data = left_.size();
  ++in_flight_;
  while (in_flight_ != 0) {
    const int result = io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR) fail(-result, "io_uring_enter");
    take_completions();
    // Sockets that took a part only; rare, and only with large batches.
    if (in_flight_ == (round_arrived_ ? 0u : 1u) && sends_due_ != 0) prepare_sends();
  }
}

void Sender::prepare_sends() {
  for (std::size_t i = 0; i < left_.size(); ++i) {
    if (left_[i] == 0) continue;
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    io_uring_prep_send(entry, static_cast<int>(i), bytes_.data() + bytes_.size() - left_[i],
                       left_[i], MSG_NOSIGNAL);
    entry->flags |= IOSQE_FIXED_FILE;
    entry->user_data = i;
    ++in_flight_;
  }
}

void Sender::take_completions() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring_, head, completion) {
    ++count;
    --in_flight_;
    const auto socket = static_cast<std::size_t>(completion->user_data);
    if (completion->res < 0) fail(-completion->res, "send");
    if (socket == left_.size()) {
      if (completion->res == 0) fail(ECONNRESET, "the receiver ended");
      round_arrived_ = true;
      continue;
    }
    left_[socket] -= static_cast<std::size_t>(completion->res);
    if (left_[socket] == 0) --sends_due_;
  }
  io_uring_cq_advance(&ring_, count);
}

}  // namespace ringcast::floor_bench
