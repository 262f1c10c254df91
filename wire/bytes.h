// The type by which wire/ refers to bytes it does not own.
// Everything in wire/ is pure: no sockets, no threads, no clock. A view stays valid only as long as
// its docstring says; nothing here keeps one past a return.
#pragma once

#include <string_view>

namespace ringcast::wire {

using Bytes = std::string_view;

}  // namespace ringcast::wire
