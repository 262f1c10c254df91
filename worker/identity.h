// Who a session is. Owned by its session; an anonymous one keeps nothing, as its authid follows
// from its id.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ringcast::worker {

// What authentication has established; names as in WELCOME.Details.
struct Identity {
  std::string authid;
  std::string authrole;
  std::string authmethod;
  std::string authprovider;
  std::uint16_t role = 0;  // number of authrole in its realm's roles
};

// The same for any session. Valid as long as the session is.
class IdentityView {
 public:
  // `identity` is null for an anonymous session, whose role is called `anonymous_role`.
  IdentityView(const Identity* identity, std::uint64_t session, std::string_view anonymous_role)
      : identity_(identity), role_(identity != nullptr ? identity->authrole : anonymous_role) {
    constexpr std::string_view kBeginning = "anonymous-";
    std::memcpy(text_.data(), kBeginning.data(), kBeginning.size());
    const auto end =
        std::to_chars(text_.data() + kBeginning.size(), text_.data() + text_.size(), session);
    text_size_ = static_cast<std::size_t>(end.ptr - text_.data());
  }
  std::string_view authid() const {
    return identity_ != nullptr ? std::string_view(identity_->authid)
                                : std::string_view(text_.data(), text_size_);
  }
  std::string_view authrole() const { return role_; }
  std::string_view authmethod() const {
    return identity_ != nullptr ? std::string_view(identity_->authmethod) : "anonymous";
  }
  std::string_view authprovider() const {
    return identity_ != nullptr ? std::string_view(identity_->authprovider) : "static";
  }

 private:
  const Identity* identity_;
  std::string_view role_;
  std::array<char, 32> text_{};  // "anonymous-" and 16 digits at most
  std::size_t text_size_ = 0;
};

}  // namespace ringcast::worker
