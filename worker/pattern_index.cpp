#include "worker/pattern_index.h"

namespace ringcast::worker {

std::string_view describe(PatternInsert outcome) {
  static_assert(kWildcardComponentsMax == 64 && kWildcardShapesMax == 128, "the texts name them");
  switch (outcome) {
    case PatternInsert::inserted:
    case PatternInsert::present:
      return {};
    case PatternInsert::too_deep:
      return "a wildcard pattern may have at most 64 components: use a prefix instead";
    case PatternInsert::too_many_shapes:
      return "128 wildcard patterns of as many components, each with its wildcards at other "
             "positions, are in use in this realm: put the wildcards where others have them, or "
             "use a prefix";
  }
  return {};
}

}  // namespace ringcast::worker
