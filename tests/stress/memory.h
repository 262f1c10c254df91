// How much memory the broker's processes use, shared pages counted once.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace ringcast::stress {

// The sum of the proportional set sizes of these processes. Fails if one of them is gone.
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
