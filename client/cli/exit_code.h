// What the programs of this folder end with; scripts rely on it, --help documents it.
#pragma once

#include "client/failure.h"

namespace ringcast::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;    // connection not made or lost, time out, protocol broken
inline constexpr int kExitUsage = 2;      // command line or input not usable
inline constexpr int kExitRefused = 3;    // the broker said no: HTTP status, ABORT or ERROR
inline constexpr int kExitCallError = 4;  // a call was answered with an ERROR
inline constexpr int kExitSignalBase = 128;  // and the number of the signal that ended a call

inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 done; 1 the connection failed, was lost or timed out; 2 the command line or the "
    "input\n"
    "is not usable; 3 the broker refused (HTTP status, ABORT or ERROR); 4 a call was answered with "
    "an ERROR;\n"
    "130 a call was interrupted.";

// Writes "NAME: cause; remedy" to standard error and returns the exit code for it.
int report(const client::Failure& failure);

}  // namespace ringcast::cli
