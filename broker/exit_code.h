// How the broker's process ends, for scripts and service managers. Documented in README.md.
#pragma once

namespace ringcast::broker {

inline constexpr int kExitDone = 0;
inline constexpr int kExitInternal = 1;     // no worker stays alive, or a system call failed
inline constexpr int kExitUsage = 2;        // invalid flags or configuration file
inline constexpr int kExitListen = 3;       // an address can't be listened on
inline constexpr int kExitIoUring = 4;      // io_uring is refused or too old
inline constexpr int kExitDescriptors = 5;  // too few file descriptors
inline constexpr int kExitProtected = 6;    // anonymous beyond loopback, no --allow-anonymous

}  // namespace ringcast::broker
