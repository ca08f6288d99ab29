// NetlinkSocket: rtnetlink, for questions and commands that are answered at once, and
// NetlinkEvents: the kernel's news of links, addresses, routes and neighbours, as a descriptor for
// the event loop.
//
// Both speak of the network namespace they were opened in.
#pragma once

#include <functional>
#include <memory>

#include "platform/fd.h"
#include "platform/netlink_message.h"
#include "platform/result.h"

namespace braid::platform {

class NetlinkSocket {
 public:
  using OnMessage = std::function<void(const NetlinkMessage&)>;

  static Result<NetlinkSocket> open();

  // Sends the request (NLM_F_ACK or NLM_F_DUMP) and reads until its end: every message of the
  // answer goes to `on_message`. The kernel answers within the call; an answer that does not come
  // within a second is ETIMEDOUT.
  std::error_code ask(NetlinkRequest request, const OnMessage& on_message);
  // For requests that only do something.
  std::error_code command(NetlinkRequest request) {
    return ask(std::move(request), [](const NetlinkMessage&) {});
  }

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)), buffer_(std::size_t{1} << 16) {}

  UniqueFd fd_;
  std::vector<std::uint8_t> buffer_;
  std::uint32_t sequence_ = 0;
};

class NetlinkEvents {
 public:
  struct Handlers {
    std::function<void(const NetlinkMessage&)> message;
    // News were lost (ENOBUFS): everything known must be asked again.
    std::function<void()> overrun;
  };

  static Result<NetlinkEvents> open();

  int fd() const { return fd_.get(); }
  // Reads what is there.
  void drain(const Handlers& handlers);

 private:
  explicit NetlinkEvents(UniqueFd fd) : fd_(std::move(fd)), buffer_(std::size_t{1} << 16) {}

  UniqueFd fd_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace braid::platform
