// EmulatedLink: two interfaces and the two link models between them.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "stack/base/random.h"
#include "tests/support/sim/link_model.h"
#include "tools/linkemu/frame_socket.h"
#include "tools/linkemu/settings_text.h"

namespace braid::linkemu {

class EmulatedLink {
 public:
  // Throws std::system_error when an interface cannot be opened.
  EmulatedLink(std::string name, const std::string& a, const std::string& b,
               const DuplexSettings& settings, Random& random);

  const std::string& name() const { return name_; }
  std::span<FrameSocket* const> sockets() const { return sockets_; }

  // Frames from both interfaces into the models; then what is due by `now` out again.
  void take_in();
  void give_out(Instant now);
  Instant next_deadline() const;
  Duration shortest_delay() const {
    return std::min(up_.model.settings().delay, down_.model.settings().delay);
  }

  void set(const DuplexSettings& settings);
  DuplexSettings settings() const { return {up_.model.settings(), down_.model.settings()}; }
  void set_state(sim::LinkState state);
  // One line per direction: "NAME up key=value ...".
  std::string stats();
  // True once when frames came that show offloads are on; for a warning.
  bool unusable_frames_seen() const { return a_.unusable() + b_.unusable() > 0; }

 private:
  struct Direction {
    sim::LinkModel model;
    FrameSocket& from;
    FrameSocket& to;
    Instant latest;                // the model's time: arrivals may lie a little before it
    std::uint64_t bad_frames = 0;  // damaged and not IP: a real link's frame check drops them

    Instant at_or_after(Instant when) { return latest = std::max(latest, when); }
  };

  void take_in(Direction& direction);
  void give_out(Direction& direction, Instant now);
  void follow_carrier();
  std::string stats(const char* label, Direction& direction);

  std::string name_;
  FrameSocket a_;
  FrameSocket b_;
  FrameSocket* sockets_[2] = {&a_, &b_};
  Direction up_;
  Direction down_;
  bool carrier_ = true;
};

}  // namespace braid::linkemu
