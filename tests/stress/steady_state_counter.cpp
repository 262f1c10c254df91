// Counts allocations and locks of a process that it is preloaded into (LD_PRELOAD), into a file
// that the check reads. Any thread. What is counted goes on to the C library as it was called.
//
// glibc itself takes its locks in line, in malloc for instance; it does so for calls that are
// counted here.
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string>

#include "tests/stress/steady_state_counts.h"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

using ringcast::stress::SteadyStateCounts;

constexpr std::uint32_t kTracedMax = 32;
constexpr int kFramesMax = 16;

SteadyStateCounts unshared{};  // until the file is mapped, and where none is asked for
SteadyStateCounts* counts = &unshared;
int calls_fd = -1;
thread_local bool tracing = false;  // backtrace() itself must not be traced

void trace(const char* what) {
  if (tracing || counts->armed.load(std::memory_order_relaxed) == 0) return;
  if (counts->traced.fetch_add(1, std::memory_order_relaxed) >= kTracedMax) return;
  tracing = true;
  void* frames[kFramesMax];
  const int depth = backtrace(frames, kFramesMax);
  dprintf(calls_fd, "%s\n", what);
  backtrace_symbols_fd(frames, depth, calls_fd);
  tracing = false;
}

void count(std::atomic<std::uint64_t>& counter, const char* what) {
  if (tracing) return;
  counter.fetch_add(1, std::memory_order_relaxed);
  trace(what);
}

void allocated(const char* what) { count(counts->allocations, what); }

// The function of that name that would have been called without this library.
template <typename Function>
Function* real(Function* /*own*/, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

__attribute__((constructor)) void map_counts() {
  const char* directory = std::getenv(ringcast::stress::kCountsDirectory);
  if (directory == nullptr) return;
  void* first = nullptr;
  backtrace(&first, 1);  // loads what it needs
  const std::string file = ringcast::stress::counts_file(directory, getpid());
  const std::string calls = ringcast::stress::trace_file(directory, getpid());
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  calls_fd = open(calls.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(SteadyStateCounts)) != 0) std::abort();
  void* memory =
      mmap(nullptr, sizeof(SteadyStateCounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) std::abort();
  counts = static_cast<SteadyStateCounts*>(memory);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  allocated("malloc");
  return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
  allocated("calloc");
  return __libc_calloc(number, size);
}

void* realloc(void* memory, std::size_t size) {
  allocated("realloc");
  return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  allocated("memalign");
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  allocated("aligned_alloc");
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  allocated("posix_memalign");
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

// The functions of pthreads that lock or wait, each passed on with its arguments.
#define COUNTED_LOCK(name, parameters, arguments) \
  int name parameters {                           \
    count(counts->locks, #name);                  \
    static const auto next = real(&name, #name);  \
    return next arguments;                        \
  }
COUNTED_LOCK(pthread_mutex_lock, (pthread_mutex_t * lock), (lock))
COUNTED_LOCK(pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
COUNTED_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTED_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
COUNTED_LOCK(pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
COUNTED_LOCK(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* lock),
             (condition, lock))
COUNTED_LOCK(pthread_cond_signal, (pthread_cond_t * condition), (condition))
COUNTED_LOCK(pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
COUNTED_LOCK(sem_wait, (sem_t * semaphore), (semaphore))
COUNTED_LOCK(sem_post, (sem_t * semaphore), (semaphore))
#undef COUNTED_LOCK

// std::atomic::wait and liburing come this way; futexes count.
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_futex) count(counts->locks, "futex");
  static const auto next = real(&syscall, "syscall");
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

}  // extern "C"
