// BusyTime: how long a connection had something to send, and what held it back meanwhile, as
// TCP_INFO tells it.
#pragma once

#include <cstdint>

#include "stack/base/time.h"

namespace braid::pd {

class BusyTime {
 public:
  enum class State : std::uint8_t { kIdle, kBusy, kWindowLimited, kBufferLimited };

  // From now on.
  void enter(State state, Instant now) {
    spent_[static_cast<std::size_t>(state_)] += now - since_;
    state_ = state;
    since_ = now;
  }
  Duration in(State state, Instant now) const {
    const Duration running = state == state_ ? now - since_ : Duration::zero();
    return spent_[static_cast<std::size_t>(state)] + running;
  }

 private:
  Duration spent_[4] = {};
  State state_ = State::kIdle;
  Instant since_{};
};

}  // namespace braid::pd
