// How much memory the broker's processes have written to, shared pages counted once. Pages of files
// are not in it: other brokers on the machine share them, and so change what each has of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace ringcast::stress {

// The sum over these processes, each page in proportion. Fails if one of them is gone.
std::int64_t memory_bytes(const std::vector<pid_t>& pids);

// False if this build keeps freed memory for the sake of finding errors: then figures say nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryMeansSomething = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kMemoryMeansSomething = false;
#else
inline constexpr bool kMemoryMeansSomething = true;
#endif
#else
inline constexpr bool kMemoryMeansSomething = true;
#endif

}  // namespace ringcast::stress
