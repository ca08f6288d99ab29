#include "stack/base/ensure.h"

#include <cstdio>
#include <cstdlib>

namespace braid {

void ensure_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "braid: bug: %s is false at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace braid
