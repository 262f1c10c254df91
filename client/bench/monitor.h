// Watches a run: takes what has been counted several times a second, for the timeline of the report
// and for a live line on standard error. Costs some microseconds each time. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "client/bench/histogram.h"
#include "client/bench/live_line.h"
#include "client/bench/result.h"

namespace ringcast::bench {

class Monitor {
 public:
  // The measured part is to last `duration_s`. `live`: standard error is a terminal.
  Monitor(Mode mode, double duration_s, const std::vector<pid_t>& server_pids, bool live);

  // The load begins.
  void begin(std::int64_t now, const Totals& totals, const Histogram& latency);
  // Its measured part begins, and the timeline with it.
  void begin_measured(std::int64_t now, const Totals& totals, const Histogram& latency);
  // When take() is to be called next.
  std::int64_t due_ns() const { return due_ns_; }
  void take(std::int64_t now, const Totals& totals, const Histogram& latency);
  // The measured part is over: what is left of it becomes the last interval, the live line goes.
  void end(std::int64_t now, const Totals& totals, const Histogram& latency);

  const std::vector<TimelinePoint>& timeline() const { return timeline_; }

 private:
  // What had been counted at one moment.
  struct Mark {
    std::int64_t at_ns = 0;
    Totals totals;
    std::optional<std::uint64_t> server_ns;  // absent without --pid
    Histogram latency;
  };

  Mark mark(std::int64_t now, const Totals& totals, const Histogram& latency);
  std::optional<std::uint64_t> server_ns();
  void add_point();
  void show(const Mark& now);

  const Mode mode_;
  const std::int64_t interval_ns_;
  const std::vector<pid_t> server_pids_;
  const bool live_;
  std::vector<pid_t> server_processes_;  // server_pids_ and their descendants, when last looked at
  bool measuring_ = false;
  std::int64_t begun_ns_ = 0;
  std::int64_t measured_from_ns_ = 0;
  std::int64_t due_ns_ = 0;
  std::int64_t show_due_ns_ = 0;
  Mark before_last_;
  Mark last_;   // the end of the last interval
  Mark shown_;  // what the live line showed last
  std::vector<TimelinePoint> timeline_;
};

}  // namespace ringcast::bench
