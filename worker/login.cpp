#include "worker/login.h"

#include <algorithm>

#include "wire/string_list.h"
#include "wire/uri.h"

namespace ringcast::worker {

void Login::begin(Connection& connection, const wire::Hello& hello) {
  const auto number = realms_.find(hello.realm);
  if (!number) {
    return user_.on_refused(connection, wire::uri::kNoSuchRealm,
                            "this broker does not serve that realm");
  }
  const Realm& realm = realms_[*number];
  const auto methods = wire::decode_string_list(connection.serializer, hello.details.authmethods);
  const bool asks_anonymous =
      methods.empty() || std::find(methods.begin(), methods.end(), "anonymous") != methods.end();
  if (!asks_anonymous || realm.anonymous_role == Realm::kNoRole) {
    return user_.on_refused(connection, wire::uri::kNoAuthMethod,
                            "this realm offers none of the authentication methods asked for");
  }
  user_.on_admitted(connection, {.realm = *number, .identity = nullptr});
}

}  // namespace ringcast::worker
