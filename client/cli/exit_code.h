// What the programs of this folder end with; scripts rely on it, --help documents it.
#pragma once

#include "client/failure.h"

namespace ringcast::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // connection not made or lost, time out, protocol broken
inline constexpr int kExitUsage = 2;    // command line or input not usable
inline constexpr int kExitRefused = 3;  // the broker said no: HTTP status, ABORT or ERROR

// Writes "NAME: cause; remedy" to standard error and returns the exit code for it.
int report(const client::Failure& failure);

}  // namespace ringcast::cli
