#include "platform/entropy.h"

#include <sys/random.h>

namespace braid::platform {

Result<Random::Key> random_key() {
  Random::Key key{};
  std::size_t filled = 0;
  while (filled < key.size()) {
    const ssize_t n = getrandom(key.data() + filled, key.size() - filled, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      return last_error();
    }
    filled += static_cast<std::size_t>(n);
  }
  return key;
}

}  // namespace braid::platform
