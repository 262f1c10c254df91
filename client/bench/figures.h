// Figures as people read them, the same on the live line, in the table and in the plot. Stateless;
// any thread.
#pragma once

#include <cstdint>
#include <string>

namespace ringcast::bench {

// 950 µs, 1.25 ms, 2.1 s: three digits and the unit that suits.
std::string duration_text(double ns);
// 1.25 M, 310 k, 42; a space and a unit may follow.
std::string amount_text(double value);
// 1.5 GB, 761 B.
std::string bytes_text(double bytes);

// 0 where there is nothing to divide by.
inline double ratio(double value, double by) { return by > 0 ? value / by : 0; }
inline double us(std::uint64_t ns) { return static_cast<double>(ns) / 1e3; }

}  // namespace ringcast::bench
