#include "worker/io_ring.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace ringcast::worker {
namespace {

constexpr int kBufferGroup = 0;
// Of Linux 6.12, which liburing 2.3 does not name: a flag of io_uring_buf_reg (in its pad), and one
// of completions that says that the buffer is used further.
constexpr unsigned kBufferRingIncremental = 2;
constexpr unsigned kCompletionBufferMore = 1u << 4;

unsigned buffer_of(std::uint32_t flags) { return flags >> IORING_CQE_BUFFER_SHIFT; }

int io_uring_disabled_sysctl() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");  // absent before Linux 6.6
  int value = 0;
  file >> value;
  return value;
}

// The mode in /proc/self/status: 0 none, 1 strict, 2 filter.
int seccomp_mode() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("Seccomp:", 0) == 0) return std::stoi(line.substr(8));
  }
  return 0;
}

IoRingError refused(int error) {
  using Cause = IoRingError::Cause;
  const std::string prefix = std::string("io_uring_setup: ") + std::strerror(error) + ": ";
  const int disabled = io_uring_disabled_sysctl();
  // EPERM: the sysctl forbids it, or a seccomp filter that answers EPERM (container runtimes'
  // default).
  if (error == EPERM && disabled != 0) {
    return {Cause::sysctl,
            prefix + "kernel.io_uring_disabled is " + std::to_string(disabled) +
                "; set it to 0 (sysctl -w kernel.io_uring_disabled=0), or to 1 and run "
                "as a member of kernel.io_uring_group"};
  }
  // ENOSYS: a filter that answers so, or a kernel built without io_uring.
  if (error == EPERM || (error == ENOSYS && seccomp_mode() != 0)) {
    return {Cause::seccomp, prefix +
                                "a seccomp filter refuses io_uring; allow io_uring_setup, "
                                "io_uring_enter and io_uring_register in the container's profile"};
  }
  // ENOMEM: the rings are charged to RLIMIT_MEMLOCK.
  if (error == ENOMEM) {
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return {Cause::memlock,
            prefix + "RLIMIT_MEMLOCK is " + std::to_string(limit.rlim_cur / 1024) +
                " KiB; raise it (ulimit -l, LimitMEMLOCK=), 8 MiB per worker thread "
                "is enough, or run fewer worker threads"};
  }
  // EMFILE, ENFILE: no descriptor left for the ring.
  if (error == EMFILE || error == ENFILE) {
    return {Cause::descriptors, prefix +
                                    "no file descriptor left; raise RLIMIT_NOFILE (ulimit -n, "
                                    "LimitNOFILE=)"};
  }
  // ENOSYS without a filter: no io_uring in this kernel. EINVAL: flags that this kernel does not
  // know.
  if (error == ENOSYS || error == EINVAL) {
    return {Cause::kernel, prefix +
                               "this kernel's io_uring is absent or too old; Ringcast needs Linux "
                               "6.1 or newer"};
  }
  return {Cause::other, prefix + "io_uring can't be used"};
}

}  // namespace

IoRing::Result IoRing::create(std::uint32_t direct_descriptors) {
  Result result = create(direct_descriptors, kSharedBuffers);
  const auto* error = std::get_if<IoRingError>(&result);
  if (error == nullptr || error->cause != IoRingError::Cause::kernel) return result;
  return create(direct_descriptors, kSingleBuffers);
}

IoRing::Result IoRing::create(std::uint32_t direct_descriptors, const ReceiveBuffers& buffers) {
  std::unique_ptr<IoRing> self(new IoRing(buffers));
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CLAMP;
  params.cq_entries = kCompletionEntries;
  int result = io_uring_queue_init_params(kSubmissionEntries, &self->ring_, &params);
  if (result < 0) return refused(-result);
  self->ring_ready_ = true;
  result = io_uring_register_files_sparse(&self->ring_, direct_descriptors);
  if (result < 0) {
    // EMFILE: the table is bounded by RLIMIT_NOFILE.
    if (result == -EMFILE) return refused(EMFILE);
    return IoRingError{
        IoRingError::Cause::other,
        std::string("cannot register direct descriptors: ") + std::strerror(-result)};
  }
  result = self->set_up_buffers();
  if (result == -ENOMEM) return refused(ENOMEM);
  if (result < 0) {
    return IoRingError{result == -EINVAL ? IoRingError::Cause::kernel : IoRingError::Cause::other,
                       std::string("cannot register receive buffers: ") + std::strerror(-result) +
                           "; Ringcast needs Linux 6.1 or newer"};
  }
  return self;
}

IoRing::~IoRing() {
  if (ring_ready_) io_uring_queue_exit(&ring_);
  for (const int fd : installed_) ::close(fd);
  if (buffer_ring_ != nullptr) munmap(buffer_ring_, buffers_.count * sizeof(io_uring_buf));
  if (buffer_memory_ != nullptr) munmap(buffer_memory_, buffer_memory_bytes());
}

int IoRing::set_up_buffers() {
  const auto map = [](std::size_t bytes) -> void* {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  };
  buffer_memory_ = static_cast<char*>(map(buffer_memory_bytes()));
  buffer_ring_ = static_cast<io_uring_buf_ring*>(map(buffers_.count * sizeof(io_uring_buf)));
  if (buffer_memory_ == nullptr || buffer_ring_ == nullptr) return -errno;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
  registration.ring_entries = buffers_.count;
  registration.bgid = kBufferGroup;
  if (buffers_.shared) registration.pad = kBufferRingIncremental;
  if (const int result = io_uring_register_buf_ring(&ring_, &registration, 0); result < 0) {
    return result;
  }
  io_uring_buf_ring_init(buffer_ring_);
  for (unsigned i = 0; i < buffers_.count; ++i) provide(i, static_cast<int>(i));
  io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(buffers_.count));
  return 0;
}

// Puts the whole of a buffer at `position` behind the ring's end, which is still to be advanced.
void IoRing::provide(unsigned buffer, int position) {
  buffer_use_[buffer] = {};
  io_uring_buf_ring_add(buffer_ring_, memory_of(buffer), buffers_.bytes,
                        static_cast<unsigned short>(buffer), io_uring_buf_ring_mask(buffers_.count),
                        position);
}

io_uring_sqe* IoRing::prepare(OperationTag tag) {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    const int result = io_uring_submit(&ring_);
    // EBUSY, EAGAIN: the kernel wants completions taken or has no memory for a request right now;
    // what was not taken stays prepared, so asking again is right. EINTR: a signal came first.
    assert(result >= 0 || result == -EBUSY || result == -EAGAIN || result == -EINTR);
    (void)result;
    entry = io_uring_get_sqe(&ring_);
  }
  std::memset(entry, 0, sizeof *entry);
  entry->user_data = tag.packed();
  return entry;
}

void IoRing::install(std::uint32_t slot, int fd) {
  constexpr OperationTag kNobody{.operation = Operation::none};
  io_uring_sqe* entry = prepare(kNobody);
  io_uring_prep_files_update(entry, &installed_.emplace_back(fd), 1, static_cast<int>(slot));
  entry->user_data = kNobody.packed();
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

// Entries point to these until they are submitted; from then on the table holds the sockets. Closed
// by a call of their own: ThreadSanitizer does not see what the kernel closes, and takes the next
// use of the number for a race.
void IoRing::close_installed() {
  submit_only();
  for (const int fd : installed_) ::close(fd);
  installed_.clear();
}

void IoRing::submit(std::uint64_t wait_ms) {
  if (!installed_.empty()) close_installed();
  int result = 0;
  if (wait_ms == 0) {
    result = io_uring_submit_and_get_events(&ring_);
  } else {
    __kernel_timespec time{};
    time.tv_sec = static_cast<std::int64_t>(wait_ms / 1000);
    time.tv_nsec = static_cast<std::int64_t>(wait_ms % 1000) * 1'000'000;
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &time, nullptr);
  }
  // ETIME: nothing came in time. EINTR: a signal. EBUSY, EAGAIN: see prepare(); the next turn asks
  // again.
  assert(result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY ||
         result == -EAGAIN);
  (void)result;
  // Whoever prepared an entry relies on its being taken now: a send points into the log, which may
  // be written over next. So what the kernel had no memory for is offered until it has.
  while (io_uring_sq_ready(&ring_) != 0) {
    result = io_uring_submit_and_get_events(&ring_);
    if (result < 0) sched_yield();
  }
}

void IoRing::submit_only() {
  // EBUSY, EAGAIN, EINTR: see prepare().
  while (io_uring_sq_ready(&ring_) != 0) {
    if (io_uring_submit(&ring_) < 0) sched_yield();
  }
}

bool IoRing::has_news() const { return io_uring_cq_ready(&ring_) != 0 || has_work(); }

bool IoRing::has_work() const {
  // The kernel sets the flag after it has queued the work; submit() is what acquires it.
  return (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0 ||
         io_uring_cq_ready(&ring_) > kCompletionEntries / 2;
}

std::size_t IoRing::take_completions(std::span<Completion> out) {
  std::size_t count = 0;
  unsigned head = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring_, head, completion) {
    if (count == out.size()) break;
    out[count++] = {.user_data = completion->user_data,
                    .res = completion->res,
                    .flags = completion->flags,
                    .buffer_offset = note_use(*completion)};
  }
  io_uring_cq_advance(&ring_, static_cast<unsigned>(count));
  return count;
}

// Completions come in the order in which the kernel has filled a buffer, so each begins where the
// one before ended. Returns that place.
std::uint32_t IoRing::note_use(const io_uring_cqe& completion) {
  if ((completion.flags & IORING_CQE_F_BUFFER) == 0) return 0;
  BufferUse& use = buffer_use_[buffer_of(completion.flags)];
  const std::uint32_t begin = use.received;
  if (completion.res > 0) use.received += static_cast<std::uint32_t>(completion.res);
  assert(use.received <= buffers_.bytes);
  // A completion without data (the end of a stream) may come behind the one that finished the
  // buffer, and knows nothing of that; nor does it finish one that the kernel goes on filling.
  const bool last = (completion.flags & kCompletionBufferMore) == 0;
  if (last && (completion.res > 0 || !buffers_.shared)) use.finished = true;
  ++use.held;
  return begin;
}

std::string_view IoRing::received(const Completion& completion) const {
  assert((completion.flags & IORING_CQE_F_BUFFER) != 0 && completion.res > 0);
  const unsigned buffer = buffer_of(completion.flags);
  assert(buffer < buffers_.count);
  return {memory_of(buffer) + completion.buffer_offset, static_cast<std::size_t>(completion.res)};
}

void IoRing::give_back(const Completion& completion) {
  if ((completion.flags & IORING_CQE_F_BUFFER) == 0) return;
  const unsigned buffer = buffer_of(completion.flags);
  BufferUse& use = buffer_use_[buffer];
  assert(use.held > 0);
  if (--use.held != 0 || !use.finished) return;
  provide(buffer, 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
}

void IoRing::release_buffers() {
  const bool unused = std::none_of(buffer_use_.begin(), buffer_use_.end(),
                                   [](const BufferUse& use) { return use.held != 0; });
  // What the kernel has received but not told yet is in a completion that waits.
  if (!unused || io_uring_cq_ready(&ring_) != 0 || io_uring_cq_has_overflow(&ring_)) return;
  madvise(buffer_memory_, buffer_memory_bytes(), MADV_DONTNEED);
}

void IoRing::arm_receive(OperationTag tag) {
  io_uring_sqe* entry = prepare(tag);
  io_uring_prep_recv_multishot(entry, static_cast<int>(tag.slot), nullptr, 0, 0);
  entry->user_data = tag.packed();
  entry->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  entry->buf_group = kBufferGroup;
}

std::variant<std::monostate, IoRingError> probe_io_ring() {
  IoRing::Result result = IoRing::create(16);
  if (auto* error = std::get_if<IoRingError>(&result)) return std::move(*error);
  return std::monostate{};
}

}  // namespace ringcast::worker
