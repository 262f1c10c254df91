// How the broker's process ends, for scripts and service managers. Documented in README.md.
#pragma once

namespace ringcast::broker {

enum ExitCode : int {
  kExitDone = 0,
  kExitInternal = 1,     // a worker can't be kept alive, or a system call failed that should not
  kExitUsage = 2,        // invalid flags
  kExitListen = 3,       // an address can't be listened on
  kExitIoUring = 4,      // io_uring is refused or too old
  kExitDescriptors = 5,  // too few file descriptors
  kExitProtected = 6,    // anonymous access beyond loopback without --allow-anonymous
};

}  // namespace ringcast::broker
