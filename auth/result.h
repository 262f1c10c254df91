// What the functions of auth/ answer: a value, or why there is none; yes, or why not.
//
// Everything in auth/ is pure: no sockets, no files, no threads, no clock. Time and random bytes
// are parameters. Functions may be called from any thread; an object belongs to whoever made it.
// What derives a key from a password (argon2id, PBKDF2) costs what its parameters say, up to
// seconds: a caller that must not wait runs it on a thread of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ringcast::auth {

// For people who read logs and fix configurations. Never sent to a peer that is not authenticated:
// it would tell an attacker which of his guesses were right.
struct Failure {
  std::string cause;
  std::string remedy;  // may be empty
};

// A value or a Failure. Access to the one that is not there is undefined: ask first.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Failure failure) : failure_(std::move(failure)) {}
  explicit operator bool() const { return value_.has_value(); }
  const T& operator*() const& { return *value_; }
  T& operator*() & { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  const T* operator->() const { return &*value_; }
  T* operator->() { return &*value_; }
  const Failure& failure() const { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

// Whether what a peer presented proves what it should. `why_not` is a constant text for the log.
class [[nodiscard]] Verdict {
 public:
  static Verdict accept() { return Verdict{{}}; }
  static Verdict refuse(std::string_view why_not) { return Verdict{why_not}; }
  explicit operator bool() const { return why_not_.empty(); }
  std::string_view why_not() const { return why_not_; }

 private:
  explicit Verdict(std::string_view why_not) : why_not_(why_not) {}
  std::string_view why_not_;
};

}  // namespace ringcast::auth
